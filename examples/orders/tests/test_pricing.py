"""Unit tests of the prices; buildspec.yml runs them with nothing but Python."""

import unittest

from orders import pricing

TWO_BOOKS = {"items": [{"sku": "book", "quantity": 2, "unitPrice": 1250}]}


class Pricing(unittest.TestCase):
    """An order's price."""

    def test_adds_up_quantities_and_prices(self):
        """Two books at 12.50 cost 25.00."""
        self.assertEqual(pricing.price(TWO_BOOKS)["total"], 2500)

    def test_takes_off_a_coupon(self):
        """WELCOME10 takes off ten percent."""
        self.assertEqual(pricing.price({**TWO_BOOKS, "coupon": "WELCOME10"})["total"], 2250)

    def test_names_every_problem_of_an_order(self):
        """Wrong quantities and prices are answered, item by item."""
        wrong = {"items": [{"quantity": 0, "unitPrice": 5}, {"quantity": 1, "unitPrice": "5"}]}
        self.assertEqual(len(pricing.problems(wrong)), 2)

    def test_refuses_an_empty_order(self):
        """An order without items cannot be priced."""
        self.assertEqual(pricing.problems({"items": []}), ["an order needs at least one item"])


if __name__ == "__main__":
    unittest.main()
