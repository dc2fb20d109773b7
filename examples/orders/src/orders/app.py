"""The Lambda function: an order comes in, its price goes out."""

import json

from orders import pricing


def handler(event, context):
    """The price of the order in `event`, or what is wrong with it; a wrong order is an answer, not an error."""
    problems = pricing.problems(event)
    if problems:
        return {"accepted": False, "problems": problems}
    answer = {"accepted": True, **pricing.price(event)}
    print(json.dumps({"request": context.aws_request_id, "items": len(event["items"]), "total": answer["total"]}))
    return answer
