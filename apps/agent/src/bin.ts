import { setFlagsFromString } from "node:v8"

// What is made while the program is read stays: a large space for new objects would be of no use, and would never become small again.
setFlagsFromString("--semi-space-growth-factor=1")
// A space of one or two megabytes is cleared sooner by one thread than others are woken for it; on a busy machine that waits for them.
setFlagsFromString("--no-parallel-scavenge")
// All that these programs do is short and seldom: what the engine would keep to do it faster is worth less than the memory.
setFlagsFromString("--optimize-for-size")
// Code that is made fast is made so in megabytes, for what runs a few thousand times and then hardly ever: only what runs far more often is.
setFlagsFromString("--invocation-count-for-maglev=2000")
setFlagsFromString("--invocation-count-for-turbofan=20000")
// A module that is imported while the program runs becomes a function in the bundle, and so does all that it needs. The engine reads
// those one by one: as one piece the program would take tens of megabytes more from then on, for what the engine needs to read it at once.
await import("./main.js")
