"""Words of the synthetic sample: names, towns, topics in French and English, and sentences to put them in."""

from __future__ import annotations

FIRST_NAMES = (
    "ada adil aiko alma amir anna aram asha bela bruno carla chen clara dana dario dina edda elif emil enzo esra "
    "fadi fatou felix fumi gita goran hana hugo ida ilya ines ivo jana jonas juno kaito karim kira lara lea leo lina "
    "luca maja malik mara mika mina nadia nils noor nuno olga omar oskar paula pavel petra rafi rana remy rosa ruben "
    "sami sara selma sofia tariq theo tilda uma vera victor wanda yara yusuf zoe"
)
LAST_NAMES = (
    "abel adler amsel arndt banks bauer becker berg blum brandt castell conti costa dahl diaz duarte ekman engel "
    "falk ferro fink frank galo garcia gross haas hagen hansen heller holm ito jansen jung kaya keller klein kovac "
    "kruse lang larsen lenz lindt lopez maier marek martin meyer moreno mori nagy neri noll novak okafor olsen ortiz "
    "park peters popov quist rau reyes rossi roth sato sauer silva sommer stark stein sun tanaka toth ullman vidal "
    "vogel wagner weiss winter wolf yilmaz zanetti"
)
TOWNS = (
    "Lyon|Lille|Nantes|Bruxelles|Genève|Montréal|London|Leeds|Dublin|Glasgow|Berlin|Lisboa|Oslo|"
    "Val-Perdu|Port-aux-Mouettes|Saint-Orme|Eastwick Hollow|Little Marrow|Fernmouth"
)

# A topic's key (as a hashtag has it), and what people call it in French and in English.
TOPICS: list[tuple[str, str, str]] = [
    ("jardin", "le jardin", "gardening"),
    ("slow food", "la cuisine lente", "slow food"),
    ("pain", "le pain au levain", "sourdough bread"),
    ("patisserie", "la pâtisserie", "pastry"),
    ("cafe", "le café filtre", "filter coffee"),
    ("the", "le thé", "tea"),
    ("velo", "le vélo", "cycling"),
    ("randonnee", "la randonnée", "hiking"),
    ("escalade", "l'escalade", "climbing"),
    ("course a pied", "la course à pied", "running"),
    ("camping", "le bivouac", "wild camping"),
    ("ski", "le ski de fond", "nordic skiing"),
    ("photo", "la photo argentique", "film photography"),
    ("cinema", "le cinéma d'auteur", "art-house films"),
    ("bd", "la bande dessinée", "comics"),
    ("romans", "les romans", "novels"),
    ("jazz", "le jazz", "jazz"),
    ("vinyle", "les vinyles", "vinyl records"),
    ("theatre", "le théâtre", "theatre"),
    ("jeux de societe", "les jeux de société", "board games"),
    ("jeux video", "les jeux indépendants", "indie games"),
    ("python", "Python", "Python"),
    ("donnees", "les données ouvertes", "open data"),
    ("logiciel libre", "le logiciel libre", "free software"),
    ("astronomie", "l'astronomie", "astronomy"),
    ("oiseaux", "les oiseaux", "birdwatching"),
    ("couture", "la couture", "sewing"),
    ("bois", "le travail du bois", "woodworking"),
    ("maison", "la maison ancienne", "old houses"),
    ("train", "les voyages en train", "train travel"),
]

# Brands, with the topics of those who like them.
BRANDS: list[tuple[str, str, tuple[str, ...], tuple[str, ...]]] = [
    ("aubade", "Maison Aubade", ("pain", "patisserie", "cafe", "slow food", "jardin"), ()),
    ("nordlys", "Nordlys Outdoor", ("randonnee", "camping", "ski", "escalade"), ("velora",)),
    ("velora", "Velora Cycles", ("velo", "randonnee", "course a pied", "train"), ("nordlys",)),
]

# {0} is what a topic is called, {1} its hashtag.
POSTS = {
    "fr": (
        "Enfin du temps pour {0}, ça fait du bien. #{1}",
        "Quelqu'un aurait une bonne adresse pour {0} ? #{1}",
        "Ce matin, {0} : trois heures, deux amis, zéro écran. #{1}",
        "« On n'apprend {0} qu'en ratant », disait ma tante. #{1}",
        "Petit bilan du mois : {0}, encore et toujours. #{1}",
        "Je prépare un guide sur {0}, dites-moi ce qui vous manque. #{1}",
    ),
    "en": (
        "Finally some time for {0} today. #{1}",
        "Any good places for {0} around here? #{1}",
        "My week in three words: {0}, rain, {0}. #{1}",
        'They asked "why {0}?" and I had no short answer. #{1}',
        "Notes from this month, mostly about {0}. #{1}",
        "Writing a small guide to {0}, tell me what is missing. #{1}",
    ),
}
STANCES = {
    "fr": {
        1: "Très contente de {0}, service impeccable.",
        0: "Vu la nouvelle vitrine de {0} en passant.",
        -1: "Déçu par {0} : trois semaines d'attente, aucune réponse.",
    },
    "en": {
        1: "Really happy with {0}, they fixed it in a day.",
        0: "Walked past the new {0} window.",
        -1: "Disappointed by {0}: three weeks of waiting, no answer.",
    },
}
BIOS = {
    "fr": ("{0}, {1} et le reste.", "J'écris sur {0}.", "Ici : {0}, {1}.", "Plutôt {0} que réseaux."),
    "en": ("{0}, {1} and the rest.", "Mostly {0}.", "Here for {0} and {1}.", "Long walks, {0}, short posts."),
}
BOUGHT_BIO = "Love life | DM for collab"
