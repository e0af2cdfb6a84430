export * as HeapLimits from "./HeapLimits.js"
export * as Program from "./Program.js"
export * as Settings from "./Settings.js"
export * as TelemetrySettings from "./TelemetrySettings.js"
