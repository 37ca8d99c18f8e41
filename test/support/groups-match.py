# Matches as Kamailio's module regex does, by the libraries that it is built with: PCRE (5) and PCRE2 (6), each where it is there.
# Arguments: the file of groups, and seconds. Lines of standard input: the number of a group and a message in hexadecimal digits;
# lines of standard output: of each library 1 or 0, or with seconds the processor time that it took: the least of three times, or
# the first that was no more than that.
import ctypes
import sys
import time

POINTER = ctypes.c_void_p
SIZE = ctypes.c_size_t
MOST_LINE = 495



def pcre(library, text):
    """Asked for a match alone."""
    library.pcre_compile.restype = POINTER
    error, at = ctypes.c_char_p(), ctypes.c_int()
    code = library.pcre_compile(text, 0, ctypes.byref(error), ctypes.byref(at), None)
    if not code:
        sys.exit('%s at %d of %s' % (error.value, at.value, text))
    run = library.pcre_exec
    run.argtypes = [POINTER, POINTER, ctypes.c_char_p, ctypes.c_int, ctypes.c_int, ctypes.c_int, POINTER, ctypes.c_int]
    return lambda message: run(code, None, message, len(message), 0, 0, None, 0) >= 0


def pcre2(library, text):
    library.pcre2_compile_8.restype = POINTER
    library.pcre2_compile_8.argtypes = [ctypes.c_char_p, SIZE, ctypes.c_uint32, POINTER, POINTER, POINTER]
    error, at = ctypes.c_int(), SIZE()
    code = library.pcre2_compile_8(text, len(text), 0, ctypes.byref(error), ctypes.byref(at), None)
    if not code:
        sys.exit('error %d at %d of %s' % (error.value, at.value, text))
    create = library.pcre2_match_data_create_from_pattern_8
    create.restype, create.argtypes = POINTER, [POINTER, POINTER]
    found = create(code, None)
    run = library.pcre2_match_8
    run.argtypes = [POINTER, ctypes.c_char_p, SIZE, SIZE, ctypes.c_uint32, POINTER, POINTER]
    return lambda message: run(code, message, len(message), 0, 0, found, None) >= 0


def groups(name):
    """The text of each group, put together as the module does."""
    found = []
    with open(name, 'rb') as file:
        for line in file:
            if line[:1].isspace() or line.startswith(b'#'):
                continue
            if line.startswith(b'['):
                found.append([])
                continue
            if len(line) > MOST_LINE:
                sys.exit('expected lines that the module reads, found one of %d bytes' % len(line))
            found[-1].append(b'(' + line.rstrip(b'\n') + b')')
    return [b'(' + b'|'.join(lines) + b')' for lines in found]


def cost(matches, message, most):
    least = None
    for _ in range(3):
        begun = time.process_time()
        matches(message)
        spent = time.process_time() - begun
        least = spent if least is None else min(least, spent)
        if least <= most:
            break
    return least


def present(name):
    try:
        return ctypes.CDLL(name)
    except OSError:
        return None


libraries = [(present('libpcre.so.3'), pcre), (present('libpcre2-8.so.0'), pcre2)]
libraries = [(library, compiler) for library, compiler in libraries if library]
if not libraries:
    sys.exit('found no libpcre.so.3 and no libpcre2-8.so.0')
texts = groups(sys.argv[1])
# Each when it is asked for first: to compile all of them takes longer than to match.
compiled = {}
for asked in sys.stdin:
    number, _, digits = asked.rstrip('\n').partition(' ')
    message = bytes.fromhex(digits)
    if number not in compiled:
        compiled[number] = [compiler(library, texts[int(number)]) for library, compiler in libraries]
    if len(sys.argv) == 2:
        print(*[1 if matches(message) else 0 for matches in compiled[number]])
    else:
        print(*['%.9f' % cost(matches, message, float(sys.argv[2])) for matches in compiled[number]])
