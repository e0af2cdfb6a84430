export * as Program from "./Program.js"
export * as Settings from "./Settings.js"
