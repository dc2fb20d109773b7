"""Everything else that functions call: moto's server behind the same endpoint, and what it makes functions do."""
