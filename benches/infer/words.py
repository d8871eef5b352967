"""Values as they occur in tables: names, texts, and the forms of ids."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any
from uuid import UUID

FIRST = "Ada Bob Eve Ida Jon Kim Leo Mia Noa Ola Pia Sam Tim Una Vera Will Xena Yara Zoe Max".split()
LAST = "Adler Brown Chen Diaz Ekman Fox Garcia Hahn Ito Jones Khan Lee Meyer Novak Okafor".split()
WORDS = "red amber lake stone river quick north paper glass cloud metal garden silver plain".split()
STATES = ["new", "open", "active", "closed", "archived"]
CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
START = datetime(2023, 1, 1, tzinfo=UTC)

ID_FORMS = ["integer", "integer", "uuid", "ulid", "padded", "prefixed", "text_number", "short"]


def _base(number: int, digits: str, length: int) -> str:
    text = ""
    for _ in range(length):
        number, digit = divmod(number, len(digits))
        text = digits[digit] + text
    return text


def _time(random: Random) -> datetime:
    return START + timedelta(seconds=random.randrange(60_000_000))


def value(form: str, random: Random) -> Any:
    """A random value that is not an id."""
    match form:
        case "name":
            return f"{random.choice(FIRST)} {random.choice(LAST)}"
        case "word":
            return random.choice(WORDS).capitalize()
        case "text":
            return " ".join(random.choices(WORDS, k=random.randint(2, 9)))
        case "email":
            return f"{random.choice(FIRST).lower()}{random.randrange(10_000)}@example.com"
        case "status":
            return random.choice(STATES)
        case "flag":
            return random.random() < 0.5
        case "small":
            return random.randint(1, 5)
        case "number":
            return random.randrange(100_000)
        case "money":
            return Decimal(random.randrange(100, 500_000)) / 100
        case "date":
            return _time(random).date().isoformat()
        case "time" | "instant":
            return _time(random).isoformat(timespec="seconds").replace("+00:00", "Z")
    raise ValueError(form)


class Forms:
    """The form of each table's ids, which is the same for all rows."""

    def __init__(self, random: Random):
        self.random = random
        self.common = random.choice(ID_FORMS)
        # Most applications have one form for all ids.
        self.mixed = random.random() < 0.4
        self.chosen: dict[str, str] = {}

    def draw(self, table: str, form: str, number: int) -> Any:
        """The value of a column: an id if that is its form."""
        if form == "any":
            other = self.random.choice(ID_FORMS) if self.mixed else self.common
            form = self.chosen.setdefault(table, other)
        return self._id(table, form, number)

    def _id(self, table: str, form: str, number: int) -> Any:
        random = self.random
        match form:
            case "integer":
                return number
            case "text_number":
                return str(1000 + number)
            case "padded":
                return f"{number:06}"
            case "uuid":
                return str(UUID(int=random.getrandbits(128), version=4))
            case "ulid":
                time = int(_time(random).timestamp() * 1000)
                return _base(time, CROCKFORD, 10) + _base(random.getrandbits(80), CROCKFORD, 16)
            case "prefixed":
                return f"{table[:3]}-{random.getrandbits(40):010x}"
            case "short":
                return _base(random.getrandbits(60), CROCKFORD.lower(), 10)
            case "code":
                return f"{table[0].upper()}{random.choice(CROCKFORD[10:])}{number:03}"
            case "slug":
                return f"{random.choice(WORDS)}-{random.choice(WORDS)}-{number}"
            case "isbn":
                return f"978{random.randrange(10**10):010}"
            case "email":
                return f"{random.choice(FIRST).lower()}.{number}@example.com"
        return value(form, random)
