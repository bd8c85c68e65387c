"""Where features and risks are computed: on one machine in bounded memory, or on Apache Spark."""
