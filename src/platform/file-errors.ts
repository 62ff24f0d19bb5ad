// What the operating system said, as a sentence a tired person can act on. Full disks are the machine's (DeviceError), paths
// that cannot be used are the caller's (DataError).
import { DataError, DeviceError } from "../core/index.ts"

interface SystemError {
  readonly code?: string
  readonly message?: string
}

const DATA_REASONS: { readonly [code: string]: readonly [reason: string, hint: string] } = {
  ENOENT: ["no such file or folder", "check the path; relative paths start at the working folder"],
  EACCES: ["permission denied", "check who may read and write it, or choose another path"],
  EPERM: ["the system does not permit it", "check who owns it, or choose another path"],
  EISDIR: ["it is a folder, not a file", "name a file inside it"],
  ENOTDIR: ["a part of the path is a file, not a folder", "check the path"],
  EEXIST: ["it exists already", "choose another name"],
  ELOOP: ["its symbolic links go round in a circle", "name the real file"],
  ENAMETOOLONG: ["the name is too long", "choose a shorter one"],
}

const DEVICE_REASONS: { readonly [code: string]: readonly [reason: string, hint: string] } = {
  ENOSPC: ["the disk is full", "free some space and try again; what was there before is untouched"],
  EDQUOT: ["the disk quota is used up", "free some space and try again; what was there before is untouched"],
  EFBIG: ["the file would be larger than allowed here", "raise the file size limit or write elsewhere"],
  EROFS: ["the disk is read-only", "write to another folder"],
  EIO: ["the disk reported an error", "check the disk; copy what matters elsewhere"],
  EMFILE: ["too many files are open", "raise the limit of open files (ulimit -n)"],
  ENFILE: ["too many files are open on this machine", "close other programs"],
  ERR_FS_FILE_TOO_LARGE: ["it is too large to be read at once", "split it, or use .jsonl, which is read line by line"],
}

/** The error to throw when `action` ("read", "write") on `path` failed; what we have no sentence for is passed on. */
export function explainFileError(error: unknown, action: string, path: string): unknown {
  const { code = "" } = (error ?? {}) as SystemError
  const data = DATA_REASONS[code]
  if (data) return new DataError(`cannot ${action} ${path}: ${data[0]}`, data[1])
  const device = DEVICE_REASONS[code]
  if (device) return new DeviceError(`cannot ${action} ${path}: ${device[0]}`, device[1], { cause: error })
  return error
}
