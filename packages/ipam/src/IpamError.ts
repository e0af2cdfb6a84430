/** What an address pool can answer instead of a lease. */
import * as Schema from "effect/Schema"

/** Every address of the pools of one family is leased. @category errors */
export class AddressPoolExhausted extends Schema.TaggedError<AddressPoolExhausted>()("AddressPoolExhausted", {
  /** The pools of that family, joined by `, `. */
  cidr: Schema.String,
  /** How many addresses they can lease at the same time. */
  capacity: Schema.String
}) {
  override get message(): string {
    return `address pool ${this.cidr}: all ${this.capacity} addresses are leased; release some or give the node a larger pool`
  }
}

/** The address is leased to another owner. @category errors */
export class AddressInUse extends Schema.TaggedError<AddressInUse>()("AddressInUse", {
  address: Schema.String,
  owner: Schema.String,
  holder: Schema.String
}) {
  override get message(): string {
    return `address ${this.address} cannot be reserved for ${this.owner}: ${this.holder} has it; stop one of the two`
  }
}

/** The address is not one the pool may lease. @category errors */
export class AddressOutsidePool extends Schema.TaggedError<AddressOutsidePool>()("AddressOutsidePool", {
  address: Schema.String,
  cidr: Schema.String,
  reason: Schema.String
}) {
  override get message(): string {
    return `address ${this.address} cannot be leased from ${this.cidr}: ${this.reason}; choose a host address of the pool`
  }
}

/** The owner has another address already. @category errors */
export class OwnerHasLease extends Schema.TaggedError<OwnerHasLease>()("OwnerHasLease", {
  owner: Schema.String,
  address: Schema.String,
  held: Schema.String
}) {
  override get message(): string {
    return `${this.owner} cannot reserve ${this.address}: it has ${this.held}; release that first`
  }
}

/** The pool cannot be used as configured. @category errors */
export class InvalidPool extends Schema.TaggedError<InvalidPool>()("InvalidPool", {
  cidr: Schema.String,
  reason: Schema.String
}) {
  override get message(): string {
    return `address pool ${this.cidr}: ${this.reason}; correct the configuration of the pool`
  }
}

/** The lease file holds something this package did not write. @category errors */
export class LeaseFileCorrupt extends Schema.TaggedError<LeaseFileCorrupt>()("LeaseFileCorrupt", {
  path: Schema.String,
  reason: Schema.String
}) {
  override get message(): string {
    return `lease file ${this.path}: ${this.reason}; move the file away and reserve the addresses of the running zones again`
  }
}

/** The leases could not be read or written; nothing was changed. @category errors */
export class LeaseStorageFailed extends Schema.TaggedError<LeaseStorageFailed>()("LeaseStorageFailed", {
  path: Schema.String,
  operation: Schema.String,
  detail: Schema.String
}) {
  override get message(): string {
    return `lease file ${this.path}: ${this.operation} failed (${this.detail}); check space and permissions of its directory`
  }
}
