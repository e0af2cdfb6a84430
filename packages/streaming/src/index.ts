export * as PortForward from "./PortForward.js"
export * as RemoteCommand from "./RemoteCommand.js"
export * as TerminalSize from "./TerminalSize.js"
export * as Upgrade from "./Upgrade.js"
