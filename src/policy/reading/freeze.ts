/** Makes a value immutable through and through: the snapshot is shared by everything and changed by nothing. */

/** Freezes a value and all that it holds. Bytes stay as they are: JavaScript cannot freeze them. */
export function deepFreeze<T>(value: T): T {
  freeze(value, new Set());
  return value;
}

/** Freezes a value whose parts are frozen already; of a Map or Set the entries, too. */
export function freezeShallow<T extends object>(value: T): T {
  if (value instanceof Map) refuse(value, ['set', 'delete', 'clear']);
  else if (value instanceof Set) refuse(value, ['add', 'delete', 'clear']);
  return Object.freeze(value);
}

function freeze(value: unknown, done: Set<unknown>): void {
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value) || done.has(value)) return;
  done.add(value);
  if (value instanceof Map) {
    for (const [key, held] of value) {
      freeze(key, done);
      freeze(held, done);
    }
  } else if (value instanceof Set) {
    for (const held of value) freeze(held, done);
  }
  for (const key of Reflect.ownKeys(value)) freeze(Reflect.get(value, key), done);
  freezeShallow(value);
}

/** Object.freeze does not reach the entries of a Map or Set: the methods that change them have to refuse. */
function refuse(collection: object, methods: readonly string[]): void {
  if (Object.isFrozen(collection)) return;
  for (const method of methods) Object.defineProperty(collection, method, { value: refused });
}

function refused(this: object): never {
  throw new TypeError(`this ${this.constructor.name} is part of a snapshot and cannot be changed`);
}
