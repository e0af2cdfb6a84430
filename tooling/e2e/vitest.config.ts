import { mergeConfig } from "vitest/config"
import { sharedConfig } from "vitest-config"

// One cluster at a time: the suites measure deadlines and share two cores.
export default mergeConfig(sharedConfig, { test: { fileParallelism: false, testTimeout: 120_000, hookTimeout: 120_000 } })
