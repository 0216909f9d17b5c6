"""Adjectives: French forms, place before or after the noun, and what they fit.

A row is `english[/comparative]=masculine[/feminine[/before a vowel]]:kinds`; the
feminine is left out where it follows the rule. Kinds are those of `nouns`.
"""

from dataclasses import dataclass

_BEFORE = """big/bigger=grand:PATVLC, small/smaller=petit:PATVLCF,
old/older=vieux/vieille/vieil:PATVLCR, young/younger=jeune:PA,
beautiful=beau/belle/bel:PATLC, new=nouveau/nouvelle/nouvel:TVCRL, good=bon:FMDRP,
pretty/prettier=joli:TCL, long/longer=long/longue:R, bad=mauvais:FMDR"""

_AFTER = """red=rouge:TVC, blue=bleu:TVC, green=vert:TVC, white=blanc/blanche:TVCA,
black=noir:TVCA, yellow=jaune:TVC, gray=gris:TVCA, brown=brun:CA, pink=rose:C,
heavy/heavier=lourd:T, light/lighter=léger:TC, expensive=cher:TVCFR,
clean/cleaner=propre:TVCL, dirty/dirtier=sale:TVCLA, empty/emptier=vide:L,
broken=cassé:T, useful=utile:TR, modern=moderne:LVT, soft/softer=doux/douce:C,
dry/drier=sec/sèche:TC, strange/stranger=étrange:PATLR, famous=célèbre:PLR,
fragile=fragile:T, precious=précieux:TR, elegant=élégant:PC,
comfortable=confortable:CV, interesting=intéressant:R, boring=ennuyeux:R,
dangerous=dangereux:AV, quiet/quieter=calme:PAL, noisy/noisier=bruyant:LV,
dark/darker=sombre:L, fast/faster=rapide:VA, short/shorter=court:RC,
happy/happier=heureux:P, sad/sadder=triste:PR, tired=fatigué:PA, sick=malade:PA,
rich/richer=riche:P, poor/poorer=pauvre:P, strong/stronger=fort:PA,
weak/weaker=faible:PA, intelligent=intelligent:PA, brave/braver=courageux:PA,
shy/shyer=timide:PA, lazy/lazier=paresseux:PA, proud/prouder=fier:P,
polite=poli:P, honest=honnête:P, patient=patient:P, serious=sérieux:P,
funny/funnier=drôle:PR, jealous=jaloux/jalouse:P, curious=curieux:PA,
ready=prêt:P, nervous=nerveux:PA, careful=prudent:P, generous=généreux:P,
kind/kinder=gentil/gentille:PA, French=français:PC, English=anglais:PR,
Italian=italien:PC, Spanish=espagnol:PR, American=américain:PV,
German=allemand:PV, fresh/fresher=frais/fraîche:FMD, hot/hotter=chaud:MD,
cold/colder=froid:MD, sweet/sweeter=sucré:FMD, salty/saltier=salé:M,
delicious=délicieux:FMD, ripe/riper=mûr:F, bitter=amer:D"""

# Not said of a named noun, only after a form of `be`.
PREDICATE_ONLY = frozenset({"ready"})
# Neither very nor more of these.
ABSOLUTE = frozenset(
    "ready broken empty French English Italian Spanish American German red blue green "
    "white black yellow gray brown pink".split()
)


@dataclass(frozen=True)
class Adjective:
    """An adjective in both languages."""

    en: str
    comparative: str
    fr: str
    feminine: str
    before_vowel: str
    before: bool
    kinds: str

    def agree(self, gender: str, plural: bool) -> str:
        """The French form for a gender and number."""
        word = self.feminine if gender == "f" else self.fr
        if not plural or word.endswith(("s", "x")):
            return word
        return word + ("x" if word.endswith("eau") else "s")


def french_feminine(word: str) -> str:
    """Feminine by rule: léger → légère, heureux → heureuse, bon → bonne."""
    for ending, feminine in (
        ("e", "e"),
        ("er", "ère"),
        ("eux", "euse"),
        ("en", "enne"),
        ("on", "onne"),
    ):
        if word.endswith(ending):
            return word.removesuffix(ending) + feminine
    return word + "e"


def _to_adjective(row: str, before: bool) -> Adjective:
    english, _, rest = row.strip().partition("=")
    french, _, kinds = rest.partition(":")
    en, _, comparative = english.partition("/")
    fr, feminine, vowel = (french.split("/") + ["", ""])[:3]
    return Adjective(
        en,
        comparative or f"more {en}",
        fr,
        feminine or french_feminine(fr),
        vowel or fr,
        before,
        kinds.replace("T", "TB"),  # what fits things fits bulky ones
    )


ADJECTIVES = tuple(
    _to_adjective(row, before)
    for rows, before in ((_BEFORE, True), (_AFTER, False))
    for row in rows.split(",")
)
BY_KIND = {
    kind: tuple(a for a in ADJECTIVES if kind in a.kinds) for kind in "PATVLCFMDRB"
}
