"""Kinds of instruction with their steps, and what an input adds to them.

A kind is a block: the instruction, then its steps. A slot's name says what fills it:
`{food}` a noun, `{foods}` its plural, `{number}` a number in words. All slots of a
block are filled alike.
"""

from sample.phrases import NAMES

SIZES = {"kitchen": 1_500, "garden": 600, "house": 300, "market": 100}
WITH_INPUT = 0.25

POOLS = {
    "name": tuple(name.en for name in NAMES),
    "helper": tuple(name.en for name in NAMES),
    "food": "carrot onion potato tomato mushroom bean",
    "fruit": "apple pear orange strawberry banana lemon cherry peach",
    "guest": "child friend student neighbor cousin tourist soldier customer farmer "
    "singer nurse lawyer cook writer engineer painter musician pilot prince princess",
    "hot": "tea coffee milk water chocolate",
    "cold": "juice lemonade wine beer water",
    "filling": "cheese ham fish butter honey jam",
    "meat": "meat fish ham",
    "tool": "knife spoon fork plate cup glass",
    "mass": "bread cheese meat rice butter sugar honey jam chocolate fish ham oil",
    "plant": "flower tree bean carrot potato onion",
    "near": ("near", "behind", "in front of", "next to"),
    "building": "house school church hotel station museum bakery castle bridge",
    "animal": "cat dog horse cow rabbit duck hen pig goat donkey turtle",
    "enemy": "bear wolf fox owl lion",
    "look": "black white gray brown big small old young tired sick lazy",
    "basket": "basket box bag bottle",
    "room": "kitchen bedroom house office shop school library",
    "state": "big small old dark noisy beautiful quiet",
    "clothes": "shirt dress coat scarf skirt sweater sock",
    "color": "red blue green white black yellow gray",
    "machine": "car bicycle boat clock phone computer lamp chair toy",
    "age": "old new small big beautiful",
    "taste": "good fresh bad",
    "vehicle": "car bicycle boat truck motorcycle",
}

FAMILIES = {
    "kitchen": """
Prepare a soup of {number} {foods} for {name}.
Wash the {number} {foods}.
Cut the {foods}.
Put the {foods} in hot water.
Serve the soup to {name}.

Prepare a {fruit} salad for {number} {guests}.
Wash the {fruits}.
Cut the {fruits}.
Put the {fruits} on {number} plates.
Serve the {fruit} salad to the {guests}.

Prepare hot {hot} for {number} {guests}.
Take {number} clean cups.
Put the hot {hot} in the cups.
Serve the {hot} to the {guests}.

Bring cold {cold} to {number} {guests}.
Open the bottle.
Take {number} clean glasses.
Put the cold {cold} in the glasses.
Give the glasses to the {guests}.

Prepare a {fruit} cake and use {number} eggs. It is for {name}.
Break the {number} eggs.
Prepare the cake.
Cut the {fruits}.
Put the {fruits} on the cake.
Serve the {fruit} cake to {name}.

Prepare {number} {filling} sandwiches for the {guests}.
Cut the bread.
Put the {filling} on the bread.
Close the {number} sandwiches.
Share the sandwiches with the {guests}.

Serve {meat} and {foods} to the {guest}.
Cut the {meat}.
Wash the {foods}.
Put the {meat} and the {foods} on a plate.
Serve the plate to the {guest}.

Share the {fruit} cake with {number} {guests}.
Take {number} plates.
Cut the {fruit} cake.
Put the cake on the plates.
Give the plates to the {guests}.
""",
    "garden": """
Plant {number} {plants} {near} the {building}.
Take the {number} {plants}.
Go to the {building}.
Plant the {plants} {near} the {building}.
Give water to the {plants}.

Feed the {look} {animals}. They eat {foods}.
Look for the {look} {animals}.
Cut the {foods}.
Give the {foods} to the {animals}.

Choose {number} ripe {fruits} for {name}.
Take a basket.
Choose {number} ripe {fruits}.
Put the {fruits} in the basket.
Bring the basket to {name}.

Protect the {look} {animal}. It is afraid of the {enemy}.
Find the {look} {animal}.
Hide the {animal} behind the house.
Wait for the {enemy} in silence.
""",
    "house": """
Clean the {state} {room} for {name}.
Open the window of the {room}.
Wash the window.
Clean the {state} {room}.
Show the {room} to {name}.

Wash the {color} {clothes} of {name}.
Look for the {color} {clothes}.
Wash the {clothes} in hot water.
Give the dry {clothes} to {name}.

Repair the {age} {machine} of the {guest}.
Take the hammer.
Repair the {age} {machine}.
Clean the {machine}.
Return the {machine} to the {guest}.

Prepare the table for {number} {guests}.
Clean the table.
Put {number} plates on the table.
Put {number} chairs near the table.
Invite the {guests}.
""",
    "market": """
Buy {number} {foods} and {taste} {mass} for {name}.
Go to the market.
Choose {number} {foods}.
Buy the {taste} {mass}.
Bring the food to {name}.

Sell the {age} {vehicle} to a {guest}.
Wash the {age} {vehicle}.
Go to the market.
Show the {vehicle} to a {guest}.
Sell the {age} {vehicle}.
""",
}

# An input and the step that it asks for: `first` or `last`.
INPUTS = {
    "kitchen": """
first; The {tools} are dirty.; Wash the {tools}.
first; There is no {mass}.; Buy the {mass}.
last; {helper} helps you.; Thank {helper}.""",
    "garden": """
first; The {basket} is broken.; Repair the {basket}.
first; The {enemy} sleeps.; Follow the {enemy} in silence.
last; {helper} helps you.; Thank {helper}.""",
    "house": """
first; The {room} is dark.; Take a lamp.
first; {helper} sleeps.; Work in silence.
last; {helper} helps you.; Thank {helper}.""",
    "market": """
first; The {vehicle} is ready.; Take the {vehicle}.
last; {helper} helps you.; Thank {helper}.""",
}
