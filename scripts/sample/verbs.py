"""Verbs: English parts, French infinitive, complement, and the objects they take.

A row is `english [past [participle]] = french [+preposition] [: kinds]`. `look_at` is
a verb with its particle; `!` marks a state (no progressive; its past is imperfect).
"""

from dataclasses import dataclass

from .spelling import english_past

_TRANSITIVE = """
eat ate eaten = manger : FM
drink drank drunk = boire : D
prepare = préparer : FMD
taste = goûter : FMD
cut cut cut = couper : FM
order = commander : FMD
share = partager : FM
serve = servir : FMD
buy bought bought = acheter : FMDTCVR
sell sold sold = vendre : FMTCVR
see saw seen = voir : PATVLB
look_at = regarder : PATVRB
look_for = chercher : PATCR
find found found = trouver : PATCR
lose lost lost = perdre : TC
like! = aimer : PAFMDRCV
love! = adorer : PAFMDLR
hate! = détester : AFMDR
prefer! preferred preferred = préférer : AFMDRCV
have! had had = avoir : ATVCR
read read read = lire : R
write wrote written = écrire : e
open = ouvrir : o
close = fermer : o
break broke broken = casser : b
repair = réparer : r
wash = laver : w
clean = nettoyer : n
wear wore worn = porter : C
put_on put put = mettre : C
draw drew drawn = dessiner : ATB
photograph = photographier : PALB
hide hid hidden = cacher : TR
choose chose chosen = choisir : TCFVR
take took taken = prendre : TVC
use = utiliser : TV
drive drove driven = conduire : d
build built built = construire : u
visit = visiter : L
describe = décrire : PATLB
understand! understood understood = comprendre : PR
know! knew known = connaître : PL
help = aider : P
meet met met = rencontrer : P
invite = inviter : P
thank = remercier : P
follow = suivre : PA
wait_for = attendre : Pt
listen_to = écouter : P
admire! = admirer : PLT
feed fed fed = nourrir : A
forget forgot forgotten = oublier : TRC
keep kept kept = garder : TR
steal stole stolen = voler : TVC
receive = recevoir : TR
finish = finir : R
begin began begun = commencer : e
plant = planter : p
protect = protéger : PA
answer = répondre +à : P
obey = obéir +à : P
talk_to = parler +à : PA
smile_at = sourire +à : P
think_about thought thought = penser +à : PALV
talk_about = parler +de : PATLR
need! = avoir besoin +de : TRFMDV
dream_about = rêver +de : PAVL
take_care_of took taken = se occuper +de : PA
be_afraid_of! was been = avoir peur +de : A
"""

_DATIVE = """
give gave given = donner : TRFC
show showed shown = montrer : TRCA
lend lent lent = prêter : TRV
send sent sent = envoyer : RT
offer = offrir : TRF
bring brought brought = apporter : TRFMD
return = rendre : TRC
explain = expliquer : R
promise = promettre : TA
"""

_INTRANSITIVE = """
sleep slept slept = dormir
work = travailler
sing sang sung = chanter
dance = danser
laugh = rire
cry = pleurer
run ran run = courir
swim swam swum = nager
walk = marcher
travel = voyager
play = jouer
shout = crier
study = étudier
arrive = arriver
leave left left = partir
stay = rester
fall fell fallen = tomber
come_back came come = revenir
go_out went gone = sortir
get_up got got = se lever
go_to_bed went gone = se coucher
wake_up woke woken = se réveiller
rest = se reposer
have_fun had had = se amuser
hurry = se dépêcher
get_dressed got got = se habiller
be_hungry! was been = avoir faim
be_thirsty! was been = avoir soif
be_right! was been = avoir raison
be_wrong! was been = avoir tort
"""

# The infinitive follows: `to` in English, the preposition in French.
_CATENATIVE = """
want! = vouloir
hope! = espérer
like! = aimer
prefer! preferred preferred = préférer
try = essayer +de
decide = décider +de
forget forgot forgotten = oublier +de
refuse = refuser +de
begin began begun = commencer +à
learn = apprendre +à
"""

_REPORTING = """
say said said = dire
think! thought thought = penser
know! knew known = savoir
believe! = croire
"""

_WITH_ETRE = frozenset(
    "aller venir revenir arriver partir rester tomber sortir rentrer".split()
)


@dataclass(frozen=True)
class Verb:  # pylint: disable=too-many-instance-attributes
    """A verb in both languages."""

    en: str
    past: str
    participle: str
    particle: str
    fr: str
    fr_tail: str
    preposition: str
    kinds: str
    stative: bool

    @property
    def lemma(self) -> str:
        """The English name, particle included."""
        return f"{self.en} {self.particle}".strip()

    @property
    def reflexive(self) -> bool:
        """True for French se-verbs."""
        return self.fr.startswith("se ")

    @property
    def infinitive(self) -> str:
        """The French infinitive without `se`."""
        return self.fr.removeprefix("se ")

    @property
    def auxiliary(self) -> str:
        """The auxiliary of the passé composé."""
        goes = self.reflexive or self.infinitive in _WITH_ETRE
        return "être" if goes else "avoir"

    @property
    def animate(self) -> bool:
        """True for what an animal can do as well as a person."""
        return self.lemma in _ANIMAL_DEEDS


_ANIMAL_DEEDS = frozenset(
    "eat|see|look at|look for|find|follow|wait for|sleep|run|fall|stay|come back|"
    "wake up|be hungry|be thirsty|arrive|protect".split("|")
)


def _to_verb(row: str) -> Verb:
    left, _, right = row.partition("=")
    french, _, kinds = right.partition(":")
    parts = left.split()
    name, _, particle = parts[0].rstrip("!").partition("_")
    french, _, preposition = french.partition("+")
    words = french.split()
    head = 2 if words[0] == "se" else 1
    past = parts[1] if len(parts) > 1 else english_past(name)
    return Verb(
        en=name,
        past=past,
        participle=parts[2] if len(parts) > 2 else past,
        particle=particle.replace("_", " "),
        fr=" ".join(words[:head]),
        fr_tail=" ".join(words[head:]),
        preposition=preposition.strip(),
        kinds=kinds.strip(),
        stative=parts[0].endswith("!"),
    )


def _table(rows: str) -> tuple[Verb, ...]:
    return tuple(_to_verb(row) for row in rows.strip().splitlines())


TRANSITIVE = _table(_TRANSITIVE)
DATIVE = _table(_DATIVE)
INTRANSITIVE = _table(_INTRANSITIVE)
CATENATIVE = _table(_CATENATIVE)
REPORTING = _table(_REPORTING)
GO, COME, LIVE = _table("""
go_to went gone = aller
come_from came come = venir +de
live! = habiter
""")
BE = _to_verb("be! was been = être")
# Objects of these are meant in general: "she likes cats" is "elle aime les chats".
GENERIC = frozenset({"like", "love", "hate", "prefer"})
