"""What makes a long password guessable: a piece repeated, a row of keys, or only the words of bad passwords."""

import re

_FEWEST_LETTERS = 6
_LONGEST_PIECE = 8
_LEAST_OWN = 6
_RUN = 5
_ROWS = (
    "abcdefghijklmnopqrstuvwxyz",
    "01234567890123456789",
    "qwertyuiop",
    "asdfghjkl",
    "zxcvbnm",
    "qwertzuiop",
    "azertyuiop",
    "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik9ol0p",
    "qazwsxedcrfvtgbyhnujmikolp",
    "!@#$%^&*()",
)
_LEET = str.maketrans("01345789@$!|", "oieastbgasii")
_WORDS = """
abcd access account admin administrator america april august baseball boss boston change changeit changeme charlie
company computer console correct horse battery staple daniel december default demo dragon english enter everyone
february football for forever freedom friday george google guest hallo hello help helpdesk iamthe iloveyou internet is
january jesus july june king letme letmein liverpool login love lover loveyou manager march master me michael mine
monday money monkey my mypass mypassword new newpassword none november october office open operator pass passcode
passphrase password passwort pokemon prince princess private production qwer qwert qwerty root sallyport sallyportadmin
saturday secret secure security september server service sesame spring staff starwars summer sunday sunshine super
superman superuser support sys sysadmin system temp temporary tenant test tester testing the this thursday to trust
trustno trustnoone tuesday user username very wednesday welcome welcometo whatever winter word work world you your
"""
_PHRASES = """
allyourbasearebelongtous askmenoquestions beammeupscotty bondjamesbond carpediem correcthorsebatterystaple
firstlinetext foursscoreandsevenyears givemelibertyorgivemedeath gottacatchthemall helloisitmeyourelookingfor
houstonwehaveaproblem inthebeginning itwasadarkandstormynight itwasthebestoftimes livelongandprosper
loremipsumdolorsitamet maytheforcebewithyou neverbeenkissed nevergonnagiveyouup nobodyknows onceuponatime
onesmallstepforman onlyhumanafterall ourfatherwhoartinheaven sallysellsseashells sesameopen theansweris
thequickbrownfox thequickbrownfoxjumpsoverthelazydog tobeornottobe tobeornottobethatisthequestion trustnobody
twinkletwinklelittlestar wearethechampions weholdthesetruths wethepeople whatisthematrix winteriscoming
youshallnotpass
"""
_COMMON = re.compile("|".join(sorted((*_WORDS.split(), *_PHRASES.split()), key=len, reverse=True)))
_NOT_OWN = re.compile(r"[\W\d_]+")


def is_common(password: str) -> bool:
    """Return whether a password of any length is one that guessing tools try early.

    Shape: a passphrase of unrelated words keeps enough letters of its own; years, signs and look-alike digits
    add nothing.
    """
    folded = password.casefold()
    if len(set(folded)) < _FEWEST_LETTERS or _is_repeated(folded):
        return True
    return any(_own(text) < _LEAST_OWN for text in (_without_rows(folded), folded.translate(_LEET)))


def _is_repeated(text: str) -> bool:
    """Return whether the text is one short piece over and over."""
    sizes = range(1, min(_LONGEST_PIECE, len(text) // 2) + 1)
    return any(text == (text[:size] * (len(text) // size + 1))[: len(text)] for size in sizes)


def _own(text: str) -> int:
    """Return how many letters are left without the words of bad passwords, digits and signs."""
    joined = _NOT_OWN.sub("", text)
    apart = sum(len(part) for part in _NOT_OWN.split(_COMMON.sub(" ", text)))
    return min(apart, len(_COMMON.sub("", joined)))


def _without_rows(text: str) -> str:
    """Return the text without runs of keys or letters in their order, forwards or backwards."""
    for row in _ROWS:
        for line in (row, row[::-1]):
            for size in range(len(line), _RUN - 1, -1):
                for start in range(len(line) - size + 1):
                    text = text.replace(line[start : start + size], " ")
    return text
