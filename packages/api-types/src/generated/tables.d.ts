import type { MessageTable } from "../Schema.js";
/** Field tables of every generated type, by OpenAPI definition name. */
export declare const tables: MessageTable;
/** Known values of each string type that Kubernetes marks as an enumeration. */
export declare const enums: Readonly<Record<string, ReadonlyArray<string>>>;
//# sourceMappingURL=tables.d.ts.map