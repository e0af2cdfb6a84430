export * as Settings from "./Settings.js"
