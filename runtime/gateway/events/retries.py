"""When a producer tries again, and when it gives up. Pure.

Source: SNS's "Message delivery retries", EventBridge's "Retry policy and dead-letter queues", Scheduler's RetryPolicy.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Retries:
    """A producer's patience: so many further attempts, within so long."""

    attempts: int
    age_s: float
    immediate: int = 0
    """How many of them come without a pause."""
    longest_s: float = 60.0

    def delay_s(self, made: int, passed_s: float) -> float | None:
        """How long to wait after the attempt number `made` (1, 2, …); None when that was the last."""
        if made > self.attempts or passed_s >= self.age_s:
            return None
        if made <= self.immediate:
            return 0.0
        return float(min(2 ** min(made - self.immediate - 1, 16), self.longest_s))

    def condition(self, made: int) -> str:
        """Which limit was reached, as dead-letter messages name it."""
        return "MaximumRetryAttempts" if made > self.attempts else "MaximumEventAgeInSeconds"


EVENTBRIDGE = Retries(185, 86_400)
SNS = Retries(100_015, 23 * 86_400, immediate=3, longest_s=20)
S3 = Retries(1_000_000, 86_400)


def chosen(policy: dict[str, int] | None) -> Retries:
    """EventBridge's or Scheduler's patience as a target's RetryPolicy changes it."""
    policy = policy or {}
    return Retries(
        policy.get("MaximumRetryAttempts", EVENTBRIDGE.attempts),
        policy.get("MaximumEventAgeInSeconds", EVENTBRIDGE.age_s),
    )


def is_final(status: int) -> bool:
    """Whether an answer of that status is not worth another attempt: the function is not there, or not for us."""
    return 400 <= status < 500 and status != 429
