"""Nouns: English, French, gender, and the kind of thing that they name.

A row is `english[/plural]=french[/plural] gender`; plurals that follow the rule are
left out. Kinds are one letter, so that verbs and adjectives can name several at once.
"""

from dataclasses import dataclass
from functools import lru_cache

from .spelling import english_plural

_ROWS = {
    # P: persons
    "P": """man/men=homme m, woman/women=femme f, boy=garçon m, girl=fille f,
    child/children=enfant m, friend=ami m, teacher=professeur m, student=étudiant m,
    doctor=médecin m, neighbor=voisin m, baker=boulanger m, farmer=fermier m,
    king=roi m, queen=reine f, mother=mère f, father=père m, brother=frère m,
    sister=sœur f, uncle=oncle m, aunt=tante f, cousin=cousin m,
    grandmother=grand-mère/grands-mères f, grandfather=grand-père/grands-pères m,
    nurse=infirmière f, singer=chanteur m, lawyer=avocat m, cook=cuisinier m,
    waitress=serveuse f, actress=actrice f, writer=écrivain m, engineer=ingénieur m,
    soldier=soldat m, customer=client m, tourist=touriste m, son=fils m,
    husband=mari m, judge=juge m, painter=peintre m, musician=musicien m,
    pilot=pilote m, hero/heroes=héros m, prince=prince m, princess=princesse f""",
    # A: animals
    "A": """cat=chat m, dog=chien m, horse=cheval/chevaux m, bird=oiseau m,
    cow=vache f, rabbit=lapin m, mouse/mice=souris f, duck=canard m, hen=poule f,
    pig=cochon m, goat=chèvre f, bear=ours m, wolf/wolves=loup m, fox=renard m,
    bee=abeille f, owl=hibou/hiboux m, hamster=hamster m, elephant=éléphant m,
    monkey=singe m, donkey=âne m, lion=lion m, turtle=tortue f, frog=grenouille f""",
    # F: food that one counts
    "F": """apple=pomme f, pear=poire f, orange=orange f, strawberry=fraise f,
    banana=banane f, lemon=citron m, tomato/tomatoes=tomate f, onion=oignon m,
    potato/potatoes=pomme de terre/pommes de terre f, carrot=carotte f, egg=œuf m,
    cake=gâteau m, sandwich=sandwich m, bean=haricot m, cookie=biscuit m,
    mushroom=champignon m, cherry=cerise f, peach=pêche f, lobster=homard m""",
    # M: food that one does not count
    "M": """bread=pain m, cheese=fromage m, meat=viande f, rice=riz m, butter=beurre m,
    soup=soupe f, salad=salade f, sugar=sucre m, honey=miel m, jam=confiture f,
    chocolate=chocolat m, fish=poisson m, ham=jambon m, oil=huile f""",
    # D: drinks, not counted
    "D": """water=eau f, milk=lait m, coffee=café m, tea=thé m, wine=vin m,
    beer=bière f, juice=jus m, lemonade=limonade f""",
    # R: what one reads
    "R": """book=livre m, letter=lettre f, newspaper=journal/journaux m,
    magazine=revue f, novel=roman m, poem=poème m, story=histoire f, message=message m,
    report=rapport m, article=article m""",
    # C: what one wears
    "C": """shirt=chemise f, dress=robe f, hat=chapeau m, coat=manteau m,
    scarf/scarves=écharpe f, skirt=jupe f, jacket=veste f, sweater=pull m,
    shoe=chaussure f, glove=gant m, boot=botte f, tie=cravate f, ring=bague f,
    sock=chaussette f""",
    # T: things
    "T": """key=clé f, bag=sac m, box=boîte f, bottle=bouteille f, glass=verre m,
    cup=tasse f, knife/knives=couteau m, fork=fourchette f, spoon=cuillère f,
    plate=assiette f, lamp=lampe f, clock=horloge f,
    umbrella=parapluie m, pen=stylo m, pencil=crayon m, phone=téléphone m,
    computer=ordinateur m, mirror=miroir m, ball=ballon m, toy=jouet m,
    gift=cadeau m, flower=fleur f, stone=pierre f, ticket=billet m,
    coin=pièce f, basket=panier m, blanket=couverture f, candle=bougie f,
    hammer=marteau m, suitcase=valise f, wallet=portefeuille m, necklace=collier m,
    painting=tableau m, doll=poupée f""",
    # B: bulky things
    "B": """door=porte f, window=fenêtre f, bed=lit m, chair=chaise f, table=table f,
    tree=arbre m""",
    # V: vehicles
    "V": """car=voiture f, bicycle=vélo m, boat=bateau m, train=train m, bus=bus m,
    truck=camion m, plane=avion m, motorcycle=moto f""",
    # L: places
    "L": """garden=jardin m, house=maison f, school=école f, market=marché m,
    park=parc m, church=église f, hospital=hôpital/hôpitaux m, hotel=hôtel m, station=gare f,
    library=bibliothèque f, museum=musée m, restaurant=restaurant m, field=champ m,
    bakery=boulangerie f, office=bureau m, kitchen=cuisine f, bedroom=chambre f,
    farm=ferme f, beach=plage f, forest=forêt f, river=rivière f, village=village m,
    city=ville f, street=rue f, bridge=pont m, castle=château m, island=île f,
    airport=aéroport m, theater=théâtre m, pharmacy=pharmacie f, shop=magasin m,
    square=place f, factory=usine f, university=université f, lake=lac m,
    swimming pool=piscine f""",
}

# Lists that some verbs and prepositions ask for; a lower-case letter names each.
_SUBSETS = {
    "o": "door window box bottle bag suitcase basket",  # opened and closed
    "b": "glass cup plate window lamp mirror toy chair clock bottle",  # broken
    "r": "car bicycle boat truck motorcycle clock phone computer chair toy lamp",
    "w": "shirt dress coat scarf skirt sweater sock car glass cup plate spoon fork",
    "n": "kitchen bedroom house office shop school table mirror window car boat",
    "u": "house bridge castle school church hotel factory boat table",  # built
    "e": "letter poem novel message article report book story",  # written
    "p": "flower tree bean carrot potato onion",  # planted
    "d": "car bus truck train motorcycle",  # driven
    "t": "train bus plane",  # waited for
    "i": "garden house school park church hospital hotel station library museum "
    "restaurant bakery office kitchen bedroom forest village city street castle "
    "airport theater pharmacy shop factory swimming pool",  # in
    "s": "beach bridge island square",  # on
    "g": "school market park church hospital hotel station library museum restaurant "
    "bakery office farm beach castle airport theater pharmacy university lake "
    "swimming pool river",  # go to
    "h": "table chair bed box suitcase",  # things lie on it
}


@dataclass(frozen=True)
class Noun:
    """A noun in both languages; `mass` nouns have no plural and no number."""

    en: str
    en_plural: str
    fr: str
    fr_plural: str
    gender: str
    kind: str

    @property
    def mass(self) -> bool:
        """True for what one does not count."""
        return self.kind in "MD"


def french_plural(word: str) -> str:
    """Plural by rule: bureau → bureaux, souris → souris, chat → chats."""
    if word.endswith(("s", "x", "z")):
        return word
    return word + ("x" if word.endswith("eau") else "s")


def _to_noun(row: str, kind: str) -> Noun:
    english, french = row.strip().split("=")
    french, gender = french.rsplit(" ", 1)
    en, _, en_plural = english.partition("/")
    fr, _, fr_plural = french.partition("/")
    return Noun(
        en,
        en_plural or english_plural(en),
        fr,
        fr_plural or french_plural(fr),
        gender,
        kind,
    )


NOUNS = tuple(
    _to_noun(row, kind) for kind, rows in _ROWS.items() for row in rows.split(",")
)


def _subset(names: str) -> tuple[Noun, ...]:
    spaced = f" {names} "
    return tuple(noun for noun in NOUNS if f" {noun.en} " in spaced)


BY_KIND = {kind: tuple(n for n in NOUNS if n.kind == kind) for kind in _ROWS} | {
    letter: _subset(names) for letter, names in _SUBSETS.items()
}


@lru_cache(maxsize=None)
def of_kinds(kinds: str) -> tuple[Noun, ...]:
    """All nouns of the named kinds, in the order of the table."""
    return tuple(dict.fromkeys(noun for kind in kinds for noun in BY_KIND[kind]))
