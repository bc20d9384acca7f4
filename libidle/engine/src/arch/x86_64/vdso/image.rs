//! The vDSO's ELF image: its functions by name. Reads a slice, checks every bound, allocates
//! nothing.

/// A function of the image.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Function {
    /// Where it begins, from the start of the image.
    pub offset: usize,
    /// Its length in bytes.
    pub size: usize,
}

/// The vDSO as it lies in memory from its ELF header on.
#[derive(Clone, Copy)]
pub struct Image<'a> {
    bytes: &'a [u8],
    symbols: usize,
    strings: usize,
    /// Subtract this from the image's own addresses to get offsets: old kernels link the image to a
    /// high address.
    bias: u64,
}

/// ELF-64 layouts, see elf(5): offsets of fields and sizes of entries.
mod elf {
    pub const HEADER: usize = 64;
    pub const PHOFF: usize = 32;
    pub const SHOFF: usize = 40;
    pub const PHNUM: usize = 56;
    pub const SHENTSIZE: usize = 58;
    pub const SHNUM: usize = 60;
    pub const PROGRAM_HEADER: usize = 56;
    pub const PT_LOAD: u32 = 1;
    pub const PT_DYNAMIC: u32 = 2;
    pub const DT_STRTAB: u64 = 5;
    pub const DT_SYMTAB: u64 = 6;
    pub const SYMBOL: usize = 24;
}

const PAGE: usize = 4096;

impl<'a> Image<'a> {
    /// The size of the image with this beginning, in whole pages: the vDSO ends with its section
    /// headers. `None` if it is no ELF image.
    pub fn size(header: &[u8]) -> Option<usize> {
        if header.len() < elf::HEADER || !header.starts_with(b"\x7fELF\x02\x01") {
            return None;
        }
        let sections =
            u16_at(header, elf::SHNUM)? as usize * u16_at(header, elf::SHENTSIZE)? as usize;
        let end = (u64_at(header, elf::SHOFF)? as usize).checked_add(sections)?;
        (HEADER_ENDS..MOST).contains(&end).then(|| end.next_multiple_of(PAGE))
    }

    /// Reads the image's headers.
    pub fn parse(bytes: &'a [u8]) -> Option<Image<'a>> {
        Image::size(bytes)?;
        let headers = u64_at(bytes, elf::PHOFF)? as usize;
        let find = |kind: u32| {
            let at = |i: usize| headers.checked_add(i * elf::PROGRAM_HEADER);
            (0..u16_at(bytes, elf::PHNUM)? as usize)
                .filter_map(at)
                .find(|&at| u32_at(bytes, at) == Some(kind))
        };
        // Of a program header: the offset in the file is at 8, the address at 16.
        let load = find(elf::PT_LOAD)?;
        let bias = u64_at(bytes, load + 16)?.wrapping_sub(u64_at(bytes, load + 8)?);
        let mut dynamic = u64_at(bytes, find(elf::PT_DYNAMIC)? + 16)?.wrapping_sub(bias) as usize;
        let (mut symbols, mut strings) = (0, 0);
        loop {
            let (tag, value) = (u64_at(bytes, dynamic)?, u64_at(bytes, dynamic + 8)?);
            match tag {
                0 => break,
                elf::DT_STRTAB => strings = value.wrapping_sub(bias) as usize,
                elf::DT_SYMTAB => symbols = value.wrapping_sub(bias) as usize,
                _ => {}
            }
            dynamic += 16;
        }
        (symbols != 0 && strings > symbols).then_some(Image { bytes, symbols, strings, bias })
    }

    /// The function called `name`.
    pub fn function(&self, name: &str) -> Option<Function> {
        // The symbols end where their names begin.
        let mut at = self.symbols;
        while at + elf::SYMBOL <= self.strings {
            // Of a symbol: the name is at 0, the value at 8, the size at 16.
            let text =
                self.bytes.get(self.strings.checked_add(u32_at(self.bytes, at)? as usize)?..)?;
            let value = u64_at(self.bytes, at + 8)?;
            if value != 0 && text.starts_with(name.as_bytes()) && text.get(name.len()) == Some(&0) {
                let function = Function {
                    offset: value.wrapping_sub(self.bias) as usize,
                    size: u64_at(self.bytes, at + 16)? as usize,
                };
                return self.code(function).map(|_| function);
            }
            at += elf::SYMBOL;
        }
        None
    }

    /// A function's instructions.
    pub fn code(&self, function: Function) -> Option<&'a [u8]> {
        self.bytes.get(function.offset..function.offset.checked_add(function.size)?)
    }
}

const HEADER_ENDS: usize = elf::HEADER;
/// No vDSO is larger: a bound against nonsense.
const MOST: usize = 1 << 20;

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(bytes.get(at..at.checked_add(2)?)?.try_into().ok()?))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(bytes.get(at..at.checked_add(4)?)?.try_into().ok()?))
}

fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(bytes.get(at..at.checked_add(8)?)?.try_into().ok()?))
}
