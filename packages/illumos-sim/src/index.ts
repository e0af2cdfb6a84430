export * as Faults from "./Faults.js"
export * as HostState from "./HostState.js"
export * as SimulatedHost from "./SimulatedHost.js"
export * as StateFile from "./StateFile.js"
