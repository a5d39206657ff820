"""The proving ground: suites of cases driven through the whole loop, each case judged, each suite summed up."""
