import { fuse, inPath, simulated } from "./zfsBackend.js"
import { scenarios } from "./zfsScenarios.js"

for (const backend of [simulated, fuse, inPath]) scenarios(backend)
