"""Names of accounts: handles, profile pages, and names after "user:"."""

import re

from graft.data.preprocess.pii.finding import Finding, Found

_HANDLE = re.compile(
    r"(?<![\w@/.+=%&;\\-])@(?=\w*[^\W\d])\w(?:[\w.-]{0,38}\w)?(?![\w@/(])"
)
_FEDERATED = re.compile(
    r"(?<![\w@/.])@[\w.-]{1,64}@(?:[\w-]{1,63}\.){1,4}[^\W\d_]{2,24}(?!\w)"
)
# Addressed to a whole group, or an annotation in a programming or markup language.
_NO_NAMES = frozenset(
    "all author autowired bean channel charset click component controller dataclass"
    " deprecated everyone example extend font-face from get here import include input"
    " inject interface keyframes layer media mixin namespace nonnull nullable override"
    " page param patch post property pytest return returns see self service since"
    " staticmethod classmethod supports suppresswarnings tailwind team test throws todo"
    " types type use value version brief code link entity table column id"
    " abstractmethod cached_property lru_cache wraps app home work least most"
    " once".split()
)

_NAME = r"(?P<name>[A-Za-z0-9](?:[\w.-]{1,62}[\w])|[A-Za-z]\w?)"
_PROFILE = re.compile(
    r"(?:(?:twitter|instagram|facebook|fb|github|gitlab|tiktok|threads|medium|twitch"
    r"|pinterest|soundcloud|vk|patreon|behance|dribbble|flickr|keybase|snapchat"
    r"|bitbucket|quora)\.(?:com|net|tv|io|org)|(?<![\w.-])x\.com|(?<!\w)t\.me"
    r"|instagr\.am|linktr\.ee|paypal\.me|ko-fi\.com|cash\.app|youtube\.com|bsky\.app"
    r"|linkedin\.com|reddit\.com|steamcommunity\.com|stackoverflow\.com|kaggle\.com"
    r"|huggingface\.co|skype:|mastodon\.[a-z]+|open\.spotify\.com)"
    r"/(?:(?P<part>in|pub|user|u|users|profile|id|add|c|channel|people|@|\$)/?)?@?"
    + _NAME,
    re.IGNORECASE,
)
# Their profiles are after a fixed part of the address; other pages are no accounts.
_NEEDS_PART = re.compile(
    r"(?:linkedin\.com|reddit\.com|bsky\.app|steamcommunity\.com|stackoverflow\.com"
    r"|youtube\.com|spotify\.com)/(?!(?:in|pub|user|u|users|profile|id|c|channel)/|@)",
    re.IGNORECASE,
)
_NO_PROFILES = frozenset(
    "about api blog careers company contact developers docs events explore features"
    " feed groups hashtag help home i intent jobs join legal login logout marketplace"
    " news notifications p pages photo plugins policies posts press pricing privacy"
    " pulse reel reels search security settings share sharer signup sponsors status"
    " stories support tag terms topics trending video videos watch wiki www".split()
)
_REDDIT = re.compile(r"(?<![\w.:/])/?u/(?P<name>[A-Za-z0-9][\w-]{2,19})(?![\w/])")
_DISCORD = re.compile(r"(?<![\w#])(?P<name>[A-Za-z_][\w.]{1,31}#\d{4})(?!\w)")

_LABEL = (
    r"(?P<label>(?:user|screen|account|login|profile|display|twitch|skype|discord"
    r"|telegram|instagram|twitter|insta|snap(?:chat)?|github|gaming|player|steam)"
    r"[ _-]?(?:name|id|handle|user(?:name)?|account)|username|users?|login|log-?in"
    r"|handle|gamer ?tag|nick(?:name)?|pseudo(?:nyme)?|identifiants?|utilisateur|compte"
    r"|account|nom d'utilisateur|nom de compte|id utilisateur|skype|discord|telegram"
    r"|insta(?:gram)?|snap(?:chat)?|twitter|github|uid)"
)
_LABELLED = re.compile(
    rf"(?<![\w@.-]){_LABEL}[\"']?(?P<sign> ?[:=]>? ?| (?:is|was|est|set to) :? ?)"
    r"(?P<quote>[\"'«`“]? ?)@?(?P<name>[^\W_](?:[\w.-]{1,38}\w))(?![\w@(\[{]|://)",
    re.IGNORECASE,
)
_SHAPED = re.compile(r".*(?:\d|_|\w[.]\w).*|[a-z]+[A-Z].*")
_PLAIN_WORDS = frozenset(
    "admin administrator root guest user none null true false string str int required"
    " optional anonymous unknown invalid test login password email default name number"
    " empty missing the you your not case yes non oui obligatoire invalide inconnu"
    " facultatif undefined all any self this disabled enabled locked closed"
    " active".split()
)
# The name of a site may be followed by any sentence: "Twitter: follow us".
_SITES = frozenset(
    "skype discord telegram insta instagram snap snapchat twitter github".split()
)
_GOES_ON = re.compile(r"[ ,]{1,2}[^\W\d_][\w'-]*(?! ?[:=])(?![\w'-])")
# "User: Hello" begins a turn of a chat, so a plain word after these is not a name.
_LOOSE = frozenset("user users account compte utilisateur login discord handle".split())


def handles(text: str) -> Found:
    """Names after an @; at the beginning of a line of code they are borderline."""
    for match in _FEDERATED.finditer(text):
        yield Finding("account", *match.span(), True, "handle")
    for match in _HANDLE.finditer(text):
        name = match[0][1:]
        if name.lower() in _NO_NAMES:
            continue
        line = text[text.rfind("\n", 0, match.start()) + 1 : match.start()]
        code = not line.strip() and "\n" in text and name.isalpha()
        yield Finding("account", *match.span(), not code, "handle-like token")


def profiles(text: str) -> Found:
    """Names in URLs of profile pages; the rest of the URL is no part of them."""
    for match in _PROFILE.finditer(text):
        if match["name"].lower() in _NO_PROFILES or _NEEDS_PART.search(match[0]):
            continue
        yield Finding("account", *match.span("name"), True, "profile page")
    for match in _REDDIT.finditer(text):
        yield Finding("account", *match.span(), True, "profile")


def tagged(text: str) -> Found:
    """Names with a number of four digits, as formerly in Discord."""
    for match in _DISCORD.finditer(text):
        sure = "discord" in text.lower()
        yield Finding("account", *match.span("name"), sure, "handle-like token")


def labelled(text: str) -> Found:
    """Names after a label such as "username:"; a plain word there is borderline."""
    for match in _LABELLED.finditer(text):
        name = match["name"]
        if name.lower() in _PLAIN_WORDS or name.replace(".", "").isdigit():
            continue
        label = match["label"].lower()
        shaped = bool(_SHAPED.fullmatch(name))
        assigned = any(sign in match["sign"] for sign in ":=")
        quoted = bool(match["quote"].strip())
        marked = text[match.start("name") - 1] == "@"
        # A plain word in a sentence is no name, unless quotes or an @ set it apart.
        worded = not (shaped or quoted or marked)
        if worded and (label in _SITES or _GOES_ON.match(text, match.end())):
            if label in _SITES | _LOOSE or not assigned:
                continue
            yield Finding("account", *match.span("name"), False, "may be a word")
            continue
        sure = shaped or marked or assigned and (label not in _LOOSE or quoted)
        if sure or quoted:
            yield Finding("account", *match.span("name"), sure, "handle-like token")
