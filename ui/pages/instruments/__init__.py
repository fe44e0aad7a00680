"""The page of instruments: finding, hearing, placing, adding and recording them."""
