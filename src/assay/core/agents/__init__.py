"""What every agent is made of: tools, grammars that cannot run away, and who decides."""

from assay.core.agents.deciding import (
    DRIVERS,
    Calibrated,
    Decider,
    ModelDecides,
    Question,
    correctness,
    decider_named,
)
from assay.core.agents.grammar import (
    Rule,
    characters,
    field,
    literal,
    number,
    one_of,
    quotable,
    repeated,
    sequence,
)
from assay.core.agents.tools import (
    ClosedWorld,
    MalformedCall,
    Parameter,
    Tool,
    ToolCall,
    World,
    call_rule,
    read_call,
)

__all__ = [
    "DRIVERS",
    "Calibrated",
    "ClosedWorld",
    "Decider",
    "MalformedCall",
    "ModelDecides",
    "Parameter",
    "Question",
    "Rule",
    "Tool",
    "ToolCall",
    "World",
    "call_rule",
    "characters",
    "correctness",
    "decider_named",
    "field",
    "literal",
    "number",
    "one_of",
    "quotable",
    "read_call",
    "repeated",
    "sequence",
]
