import { sharedConfig } from "vitest-config"

export default sharedConfig
