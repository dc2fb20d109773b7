"""What an order costs, in whole cents."""

COUPONS = {"WELCOME10": 10, "VIP20": 20}  # percent off


def problems(order):
    """What is wrong with an order, one sentence each; empty when it can be priced."""
    items = order.get("items")
    if not isinstance(items, list) or not items:
        return ["an order needs at least one item"]
    found = []
    for number, item in enumerate(items, start=1):
        if not isinstance(item.get("unitPrice"), int) or item["unitPrice"] < 0:
            found.append(f"item {number}: unitPrice must be a whole number of cents")
        if not isinstance(item.get("quantity"), int) or item["quantity"] < 1:
            found.append(f"item {number}: quantity must be at least 1")
    return found


def discount(subtotal, coupon):
    """The cents a coupon takes off; a code nobody knows takes off nothing."""
    return subtotal * COUPONS.get(coupon, 0) // 100


def price(order):
    """Subtotal, discount and total of an order without problems."""
    subtotal = sum(item["quantity"] * item["unitPrice"] for item in order["items"])
    off = discount(subtotal, order.get("coupon"))
    return {"subtotal": subtotal, "discount": off, "total": subtotal - off}
