// A module that is imported while the program runs becomes a function in the bundle, and so does all that it needs. The engine reads
// those one by one: as one piece the program would take 25 MB more from then on, for what the engine needs to read it at once.
await import("./main.js")
