"""Short English words for squares: everyday ones, so that a small model has met them all."""

_THREE = """
ace act add ado age ago aid aim air ale all and ant any ape apt arc are ark arm art ash ask ate awe axe bad bag
bar bat bay bed bee beg bet bid big bin bit boa bow box boy bud bug bus but buy cab can cap car cat cod cog cow
cry cup cut dam day den dew did die dig dim dip dog dot dry due dug dye ear eat eel egg ego elf elm end era eve
eye fan far fat fed fee few fig fin fir fit fix fly fog for fox fun fur gap gas gel gem get gin god got gum gun
gut guy had ham has hat hay hen her hid him hip his hit hog hop hot how hub hug hum hut ice icy ill ink inn ion
ire its ivy jam jar jaw jet job jog joy jug key kid kin kit lab lad lag lap law lay led leg let lid lie lip lit
log lot low mad man map mat may men met mix mob mop mud mug nap net new nil nod nor not now nun nut oak oar oat
odd ode off oil old one opt orb ore our out owe owl own pad pan par pat paw pay pea peg pen pet pie pig pin pit
pod pop pot pub put rag ram ran rap rat raw ray red rib rid rig rim rip rob rod rot row rub rug run rye sad sap
sat saw say sea see set sew she shy sin sip sir sit six ski sky sly son spa spy sum sun tab tag tan tap tar tax
tea ten the tie tin tip toe ton too top toy try tub two urn use van vet via war was wax way web wed wet who why
wig win wit won yes yet you zoo
"""
_FOUR = """
able ache acid acre aide aims alas aloe also alto anew ante anti apex arch area aria army arts ashy atom aunt
away axis baby back bade bake bald ball band bane bank bare bark barn base bash bath bead beam bean bear beat
been beer bell bend bent best bike bind bird bite blow blue boat body bold bolt bone book boot bore born boss
both bowl brag bulb bulk burn bush busy cafe cage cake call calm came camp cane cape card care cart case cash
cast cave cell chat chin chip cite city clan clap claw clay clip club coal coat code coin cold come cone cook
cool cope copy cord core corn cost crew crop crow cube cure dame damp dare dark dart data date dawn dead deaf
deal dear debt deck deed deep deer demo dent deny desk dial dice died diet dine dire disc dish dive dome done
door dose down drag draw drew drip drop drum dual duck duel dull dune dusk dust duty each earl earn ease east
easy echo edge edit else emit ends envy epic even ever evil exam exit eyes face fact fade fail fair fall fame
fare farm fast fate fear feed feel fell felt fern file fill film find fine fire firm fish five flag flat flaw
fled flew flip flow foam fold folk fond food foot ford fore fork form fort foul four free from fuel full fund
fuse gain gala game gate gave gaze gear gene germ gift girl give glad glow glue goal goat goes gold golf gone
good gown gray grew grid grim grin grip grow gulf hair hale half hall halt hand hang hard hare harm hate have
hawk head heal heap hear heat heel heir held hems herb herd here hero hide high hike hill hint hire hold hole
holy home hood hook hope horn host hour huge hull hung hunt hurt icon idea idle idol inch into iris iron isle
item jail jazz join joke jump june jury just keen keep kept kick kind king kiss kite knee knew knit knot know
lace lack lady laid lake lamb lamp land lane last late lava lawn lead leaf lean leap left lend lens less lest
lien life lift like lime limp line link lion lips list live load loaf loan lobe lock loft logo lone long look
loop lord lore lose loss lost loud love luck lung lure lyre made mail main make male mall mane many mare mark
mask mass mast mate maze meal mean meat meet melt memo mend menu mere mesh mess mild mile milk mill mind mine
mint miss mist moan moat mode mole mood moon more moss most moth move much mule muse myth nail name navy near
neat neck need nest news next nice nine node none noon norm nose note oats obey odds odor ogre oils okay omen
omit once only onto opal open oral oval oven over owed pace pack page paid pain pair pale palm pane park part
pass past path peak pear peel peer pest pick pier pile pine pink pint pipe plan play plea plot plow plug plus
poem poet pole poll pond pool poor pope pore pork port pose post pour pray prey pull pump pure push quit race
raft rage raid rail rain rake ramp rang rank rare rate read real reap rear redo reed reef reel rely rent rest
rice rich ride ring riot ripe rise risk rite road roam roar robe rock rode role roll roof room root rope rose
rude ruin rule rush rust sack safe sage said sail sake sale salt same sand sane save scan scar seal seam seat
seed seek seem seen self sell send sent shed ship shoe shop shot show shut side sigh sign silk sing sink site
size skin slam slap sled slim slip slot slow snap snow soap soar sock sofa soft soil sold sole solo some song
soon sore sort soul soup sour spin spot star stay stem step stir stop such suit sure swam swan swim tail take
tale talk tall tame tank tape task team tear tell tend tent term test text than that them then they thin this
tide tidy tied tile till time tiny tire toad told toll tomb tone tool tops tore torn tour town trap tray tree
trim trio trip true tube tuna tune turn twin type unit upon urge used user vase vast veil vein verb very vest
view vine visa void vote wade wage wait wake walk wall wand want ward warm warn wars wash wave weak wear week
well went were west what when whom wide wife wild will wind wine wing wire wise wish with wolf wood wool word
wore work worm worn wrap yard yarn year yoga zero zone
"""
_FIVE = """
about above abuse actor acute adapt admit adobe adopt adore adult after again agent agile agree ahead aisle
alarm album alert alike alive allow alone along aloud alter amber amend ample angel anger angle angry apart
apple apply apron arena argue arise armed armor aroma array arrow aside asset atlas attic audio audit avoid
awake award aware awful bacon badge badly baker basic basin batch beach beard beast begin being below bench
berry birth black blade blame blank blast blaze bleak blend bless blind block blood bloom blown board boast
bonus boost booth bound brain brake brand brass brave bread break breed brick bride brief bring broad broke
brook broom brown brush build built bunch burst cabin cable camel canal candy canoe cargo carol carry carve
catch cause cedar chain chair chalk charm chart chase cheap cheat check cheek cheer chess chest chief child
chill china choir chose cider cigar circa civil claim clash class clean clear clerk click cliff climb cloak
clock close cloth cloud clown coach coast cobra colon color comet comic comma coral couch cough could count
court cover crack craft crane crash crawl crazy cream creed creek crest crime crisp cross crowd crown crude
cruel crust curve cycle daily dairy daisy dance debit debut decay decor decoy delay delta dense depot depth
derby deter devil diary diner dirty ditch diver dodge doing donor doubt dough dozen draft drain drama drank
drawn dread dream dress dried drift drill drink drive drove drown dryer eager eagle early earth easel eaten
eater edict eerie eight elbow elder elect elite elope elude ember emend empty enact enemy enjoy enter entry
envoy equal erase erect error erupt essay ether evade event every evict exact exert exile exist extra fable
facet faint fairy faith false fancy fatal fault favor feast fence ferry fetch fever fiber field fifth fifty
fight final first flame flank flare flash fleet flesh float flock flood floor flour fluid flute focus force
forge forth forty forum found frame fraud fresh front frost fruit gauge genre ghost giant given glare glass
gleam globe gloom glory glove going grace grade grain grand grant grape graph grasp grass grate grave great
greed green greet grief grill grind groan groom gross group grove growl grown guard guess guest guide guild
habit handy happy hardy harsh haste hatch haven heart heavy hedge hello hence heron hinge hobby honey honor
horse hotel hound house hover human humor hurry ideal idiom image imply inbox index inert infer inlet inner
input irate irony issue ivory jelly jewel joint joker judge juice knife knock known label labor lance large
laser later laugh layer learn lease least leave ledge legal lemon level lever light lilac limit linen liner
liver lobby local lodge lofty logic loose lorry lotus lover lower loyal lucky lunar lunch lyric magic major
maker manor maple march marry match mayor medal media melon mercy merge merit merry metal meter might minor
minus model moist money month moral motel motor motto mound mount mouse mouth mover movie music naive naked
nasal naval nerve never newly nicer niece night ninth noble noise north notch novel nurse nylon oasis occur
ocean offer often olive omega onion onset opera orbit order organ other otter ought ounce outer overt owner
ozone paint panel panic paper party pasta paste patch pause peace peach pearl pedal penny perch peril petal
phase phone photo piano piece pilot pinch pitch place plain plane plant plate plaza plead point polar porch
pouch pound power press price pride prime print prior prism prize probe proof proud prove prune pulse punch
pupil purse quake queen query quest quick quiet quilt quite quote radar radio rainy raise rally ranch range
rapid ratio raven razor reach react ready realm rebel refer reign relax relay relic renew repay repel reply
reset resin retry rider ridge rifle right rigid rinse risen rival river roast robin robot rocky rogue roman
roost rotor rouge rough round route rover royal rugby ruler rumor rural sadly saint salad salon salsa salty
sandy satin sauce scale scare scarf scene scent scold scope score scout screw sedan sense serve setup seven
sever shade shake shall shame shape share shark sharp sheep sheet shelf shell shift shine shirt shock shore
short shout shown siege sight silly since siren skate skill skirt slate slave sleep sleet slice slide slope
small smart smell smile smoke snack snail snake sneak solar solid solve sonar sonic sorry sound south space
spade spare spark speak spear speed spell spend spent spice spill spine split spoke spoon sport spray squad
stack staff stage stain stair stake stale stamp stand stare start state steak steal steam steel steep steer
stern stick still sting stock stone stood stool store storm story stove straw stray strip study stuff style
sugar suite sunny super surge swamp swear sweat sweep sweet swept swift swing sword syrup table taste teach
tempo tenet tenor tense tenth tepid terms thank theft their theme there these thick thief thing think third
those three threw throw thumb tidal tiger tight timer tired title toast today token tonic tooth topic torch
total totem touch tower trace track trade trail train trait tramp trash treat trend trial tribe trick troop
truce truck truly trunk trust truth tulip tutor twice twist ultra uncle under union unite unity untie until
upper upset urban usage usher usual utter vague valid value valve vapor vault venue verse video vigor viola
viral visit vital vivid vocal voice voter wagon waist waste watch water weary weave wedge wheat wheel where
which while white whole whose widen widow width woman world worry worse worst worth would wound woven wreck
wrist write wrong wrote yacht yield young youth zebra
"""
WORDS = {3: tuple(_THREE.split()), 4: tuple(_FOUR.split()), 5: tuple(_FIVE.split())}
"""By length, in the order of the alphabet."""
