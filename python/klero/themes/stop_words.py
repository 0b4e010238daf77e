"""Which words say nothing of what a text is about?

Function words, auxiliaries, and the courtesies of letters, in French and English, with their accents; a word without accents also counts as its accented
form («a» for «à», «meme» for «même»), never the other way round, so that «maïs» is not «mais». Elided words stand without their apostrophe («qu», «jusqu»).

Some function words of one language mean something in the other («car» is «because» and a vehicle; «but» is also a goal): `MEANS_IN_ENGLISH` and
`MEANS_IN_FRENCH` list them, and in a text of that language they count as words like any other.

Negations are no stop words: «sans abri» and «abri» are not the same. They are never keywords by themselves.

>>> "été" in FRENCH, "the" in ENGLISH, "vélo" in FRENCH, "car" in FRENCH & MEANS_IN_ENGLISH
(True, True, False, True)
"""

from __future__ import annotations

__all__ = [
    "CONNECTORS",
    "ENGLISH",
    "FRENCH",
    "MEANS_IN_ENGLISH",
    "MEANS_IN_FRENCH",
    "NEGATIONS",
    "WHOLE",
    "WITHOUT",
]


def _list(text: str) -> frozenset[str]:
    return frozenset(text.split())


FRENCH = _list(
    """
    l d j m t s c n qu jusqu lorsqu puisqu quoiqu quelqu presqu parce aujourd hui
    le la les un une des du de au aux ce cet cette ces ça ceci cela celui celle ceux celles ci là voici voilà
    mon ma mes ton ta tes son sa ses notre nos votre vos leur leurs nôtre vôtre mien mienne tien sien sienne miens siens
    je tu il elle on nous vous ils elles me te se moi toi lui eux soi même mêmes y en ne
    qui que quoi dont où quel quelle quels quelles lequel laquelle lesquels lesquelles auquel auxquels duquel desquels quiconque
    et ou mais donc or car si comme quand lorsque puisque quoique afin alors ainsi aussi cependant toutefois pourtant néanmoins sinon enfin
    ensuite puis bref certes voire soit notamment également
    à dans par pour vers chez sur sous avec contre entre depuis pendant durant avant après devant derrière dès jusque selon envers parmi malgré outre
    hors lors via versus près loin face suite grâce cause lieu partir
    très trop plus moins peu beaucoup assez tant autant tellement plutôt presque environ encore déjà toujours souvent parfois rarement
    bientôt maintenant hier demain aujourdhui ici ailleurs partout dedans dehors dessus dessous surtout seulement simplement vraiment
    bien mieux mal tout toute tous toutes chaque plusieurs quelque quelques certain certaine certains certaines autre autres autrui tel telle tels telles
    même divers diverses différent différents différente différentes personne rien chacun chacune autrement
    être suis es est sommes êtes sont étais était étions étiez étaient fus fut furent serai seras sera serons serez seront serais serait serions
    seriez seraient sois soyons soyez soient fût été étant
    avoir ai as a avons avez ont avais avait avions aviez avaient eu eus eut eurent aurai auras aura aurons aurez auront aurais aurait aurions
    auriez auraient aie aies ait ayons ayez aient eût ayant
    faire fais fait faites faits font faisons faisait faisaient fera feront ferait feraient fasse fassent faisant
    peux peut pouvons pouvez peuvent pouvais pouvait pouvaient pourra pourrai pourras pourrons pourrez pourront pourrais pourrait pourrions
    pourriez pourraient puisse puissent puissions pu
    dois doit devons devez doivent devais devait devaient devra devrai devront devrais devrait devrions devriez devraient dû doive doivent
    falloir faut fallait faudra faudrait faille fallu
    vouloir veux veut voulons voulez veulent voulais voulait voulaient voudra voudrais voudrait voudraient
    aller vais vas va allons allez vont allait allaient ira iront irait iraient aille aillent
    dire dis dit disent disait disant voir vois voit voient vu savoir sais sait savent savez
    semble semblent paraît trouve pense penser penses crois croire souhaite souhaiterais souhaitons aimerais aimerait voudrions
    bonjour bonsoir salut merci svp stp plaît cordialement bonne bonjours madame monsieur mesdames messieurs oui ok voilà hein euh ben bah etc cf ex
    aucunement guère nullement comment pourquoi combien tandis alors
    d'accord d'abord d'ailleurs d'autant n'importe aujourd'hui quelqu'un quelqu'une peut-être c'est-à-dire
    chose choses façon manière fois exemple concernant deux trois premier première premiers premières
    http https www
    """
)

ENGLISH = _list(
    """
    a an the this that these those i you he she it we they me him her us them my your his its our their mine yours hers ours theirs
    myself yourself himself herself itself ourselves yourselves themselves who whom whose which what whatever whichever whoever
    and or but if because as until while though although unless whereas than then so thus hence therefore however moreover also too
    of at by for with about against between among into onto through during before after above below to from up down in out on off over under
    again further once here there when where why how all any both each every few more most other others another some such only own same
    very just really quite rather almost maybe perhaps even still yet already ever always often sometimes usually now today
    am is are was were be been being have has had having do does did doing done can could will would shall should may might must ought
    cannot ll ve re don didn doesn isn aren wasn weren won wouldn couldn shouldn hasn haven hadn ain mustn needn mightn shan im ive id youre
    dont cant wont doesnt didnt isnt
    go goes going gone get gets getting got let lets make makes made making want wants wanted need needs needed like please thanks thank hello hi
    hey dear yes yeah ok okay know think say said says see tell told give gives given take takes
    one ones two three first thing things something anything everything someone anyone everyone everybody anybody somebody way lot lots much many
    able etc per via upon within toward towards across along around behind beside besides beyond despite except near since
    http https www
    """
)

NEGATIONS = _list(
    """
    pas jamais aucun aucune ni nul nulle
    not never none nor neither nobody nothing nowhere
    """
)
# These may also come first: «sans abri», «non vacciné», «no parking».
WITHOUT = _list("sans non no without")

# Function words of one language that are words like any other in a text of the other language.
MEANS_IN_ENGLISH = _list(
    "ai aura car cause comment dire divers eu face font grace ira meme pour son suite ton"
)
MEANS_IN_FRENCH = _list("an but don if like lot lots mine must once ours")

# Only these may stand between the words of a keyword: «pouvoir d’achat», «mise en place», «right to work».
CONNECTORS = _list(
    """
    de du des d à au aux en le la les l un une et ou par sur entre contre
    of the an for in on to and or from
    """
)

# Written with a hyphen these are one word, though all of their parts are function words, or the last one is.
WHOLE = _list("bien-être mieux-être rendez-vous savoir-faire savoir-être faire-part laissez-faire non-dit")
