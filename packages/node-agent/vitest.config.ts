import { sharedConfig } from "vitest-config"
import { mergeConfig } from "vitest/config"

// Most of the time these tests wait for processes and for the simulated host: several files at once cost little.
export default mergeConfig(sharedConfig, { test: { maxWorkers: 3 } })
