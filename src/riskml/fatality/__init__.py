"""The fatality review: closed femicides and attempts coded, counted, compared, replayed."""
