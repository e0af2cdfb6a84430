/** What the network tools of a host can answer instead of doing what was asked, and what the pod network can fail with. */
import * as Schema from "effect/Schema"
import { describe, errorFields } from "./internal/errorFields.js"

/** An IP or MAC address is used by something else, on this host or on the wire. @category errors */
export class AddressInUse extends Schema.TaggedError<AddressInUse>()("AddressInUse", errorFields) {
  override get message(): string {
    return describe(this, "the address is used by something else", "choose another address, or find out who has this one")
  }
}

/** A name, a value or a combination of options is not acceptable to the tool; trying again cannot help. @category errors */
export class NetworkSettingRejected extends Schema.TaggedError<NetworkSettingRejected>()("NetworkSettingRejected", errorFields) {
  override get message(): string {
    return describe(this, "the host does not accept the setting", "correct the name or value that is mentioned")
  }
}

/** The release, the driver or the class of link cannot do it. @category errors */
export class NetworkUnsupported extends Schema.TaggedError<NetworkUnsupported>()("NetworkUnsupported", errorFields) {
  override get message(): string {
    return describe(this, "this host or link cannot do that", "leave the setting out, or use another kind of link")
  }
}

/** The host is in the middle of something; the same command may work in a moment. @category errors */
export class NetworkTryAgain extends Schema.TaggedError<NetworkTryAgain>()("NetworkTryAgain", errorFields) {
  override get message(): string {
    return describe(this, "the host was not able to do it at this moment", "try again")
  }
}

/** A persistent object cannot be over a temporary one. @category errors */
export class LinkTemporary extends Schema.TaggedError<LinkTemporary>()("LinkTemporary", errorFields) {
  override get message(): string {
    return describe(this, "the link below is temporary", "make this one temporary too, or the one below persistent")
  }
}

/** The route is there already, perhaps only in the file of persistent routes. @category errors */
export class RouteExists extends Schema.TaggedError<RouteExists>()("RouteExists", errorFields) {
  override get message(): string {
    return describe(this, "the route exists already", "nothing needs to be done, or delete it first to change it")
  }
}

/** There is no such route. @category errors */
export class RouteNotFound extends Schema.TaggedError<RouteNotFound>()("RouteNotFound", errorFields) {
  override get message(): string {
    return describe(this, "no such route", "look at the routing table again")
  }
}

/** The gateway of a route is on no network this host is attached to. @category errors */
export class GatewayUnreachable extends Schema.TaggedError<GatewayUnreachable>()("GatewayUnreachable", errorFields) {
  override get message(): string {
    return describe(this, "the gateway cannot be reached directly", "give an interface an address in the network of the gateway first")
  }
}

/** A flow with that name, or with the same attributes, exists on the link. @category errors */
export class FlowExists extends Schema.TaggedError<FlowExists>()("FlowExists", errorFields) {
  override get message(): string {
    return describe(this, "the flow exists already", "remove it before adding it again")
  }
}

/** There is no such flow. @category errors */
export class FlowNotFound extends Schema.TaggedError<FlowNotFound>()("FlowNotFound", errorFields) {
  override get message(): string {
    return describe(this, "no such flow", "look at the flows of the link again")
  }
}

/** ipnat or ipf cannot read a rule; none of the rules was loaded. @category errors */
export class RulesRejected extends Schema.TaggedError<RulesRejected>()("RulesRejected", errorFields) {
  override get message(): string {
    return describe(this, "a rule cannot be read", "correct the rule at the line that is mentioned")
  }
}

/** After a replacement the list of rules is not what it should be. @category errors */
export class RulesNotReplaced extends Schema.TaggedError<RulesNotReplaced>()("RulesNotReplaced", {
  ...errorFields,
  /** Whether the rules that were there before are there again, in their order. */
  rolledBack: Schema.Boolean
}) {
  override get message(): string {
    return describe(
      this,
      this.rolledBack ? "the rules could not be replaced; those from before are in force" : "the rules could not be replaced, nor those from before restored",
      "look at what the host says about the rules, then replace them again"
    )
  }
}

/** The wanted pod network contradicts itself. @category errors */
export class PodNetworkInvalid extends Schema.TaggedError<PodNetworkInvalid>()("PodNetworkInvalid", errorFields) {
  override get message(): string {
    return describe(this, "the wanted network is not possible", "correct the named setting")
  }
}

/** Every step was taken, and the host still differs from the wanted network. @category errors */
export class PodNetworkUnsettled extends Schema.TaggedError<PodNetworkUnsettled>()("PodNetworkUnsettled", errorFields) {
  override get message(): string {
    return describe(this, "the host differs from what was just set", "look for another program that changes the network of this host")
  }
}

/** Everything specific to the network that an operation of this package can fail with. @category errors */
export type NetworkError =
  | AddressInUse
  | NetworkSettingRejected
  | NetworkUnsupported
  | NetworkTryAgain
  | LinkTemporary
  | RouteExists
  | RouteNotFound
  | GatewayUnreachable
  | FlowExists
  | FlowNotFound
  | RulesRejected
  | RulesNotReplaced
  | PodNetworkInvalid
  | PodNetworkUnsettled
