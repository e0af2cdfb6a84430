/** Names of ZFS datasets and snapshots, checked here because ZFS itself accepts names that cannot be handled safely. */
import * as Schema from "effect/Schema"

const component = "[A-Za-z0-9_:][A-Za-z0-9_.:-]*"
const reservedPool = "(?!mirror|raidz|draid|spare|log(?:/|@|$)|c[0-9])"
const datasetPattern = new RegExp(`^${reservedPool}(?=.{1,255}$)[A-Za-z][A-Za-z0-9_.:-]*(?:/${component}){0,49}$`)
const snapshotPattern = new RegExp(
  `^${reservedPool}(?=.{1,255}$)[A-Za-z][A-Za-z0-9_.:-]*(?:/${component}){0,49}@${component}$`
)

/**
 * A file system or volume: pool first, components of letters, digits, `_`, `.`, `:`, `-` that begin with neither `.`
 * nor `-`, at most 255 bytes and 50 levels. Spaces, which ZFS allows, are refused.
 *
 * @category schemas
 */
export const DatasetName = Schema.String.pipe(
  Schema.pattern(datasetPattern, {
    message: () => "a dataset name is pool/component/… of letters, digits, '_', '.', ':', '-', at most 255 bytes"
  }),
  Schema.brand("DatasetName")
)

/** A validated name of a file system or volume. @category models */
export type DatasetName = typeof DatasetName.Type

/**
 * A snapshot: `dataset@name`.
 *
 * @category schemas
 */
export const SnapshotName = Schema.String.pipe(
  Schema.pattern(snapshotPattern, { message: () => "a snapshot name is dataset@name, at most 255 bytes" }),
  Schema.brand("SnapshotName")
)

/** A validated name of a snapshot. @category models */
export type SnapshotName = typeof SnapshotName.Type

/**
 * The name as a `DatasetName`; throws a `ParseError` when it is none.
 *
 * @category constructors
 */
export const make = (name: string): DatasetName => DatasetName.make(name)

/**
 * `dataset@name`; throws a `ParseError` when the result is no snapshot name.
 *
 * @category constructors
 */
export const snapshot = (dataset: DatasetName, name: string): SnapshotName => SnapshotName.make(`${dataset}@${name}`)

/**
 * A dataset below `parent`; throws a `ParseError` when the result is no dataset name.
 *
 * @category constructors
 */
export const child = (parent: DatasetName, ...components: ReadonlyArray<string>): DatasetName =>
  DatasetName.make([parent, ...components].join("/"))

/**
 * The pool a dataset or snapshot lives in.
 *
 * @category combinators
 */
export const poolOf = (name: DatasetName | SnapshotName): DatasetName =>
  DatasetName.make(name.split(/[/@]/, 1)[0] ?? name)

/**
 * Whether the text is a dataset name.
 *
 * @category combinators
 */
export const is = Schema.is(DatasetName)

/**
 * Whether the text is a snapshot name.
 *
 * @category combinators
 */
export const isSnapshot = Schema.is(SnapshotName)
