import { fuse, inPath, simulated } from "./zfsBackend.js"
import { answers } from "./zfsSuite.js"

for (const backend of [simulated, fuse, inPath]) {
  if (backend.missing !== undefined) process.stderr.write(`storage-zfs: tests against ${backend.name} are skipped: ${backend.missing}\n`)
  answers(backend)
}
