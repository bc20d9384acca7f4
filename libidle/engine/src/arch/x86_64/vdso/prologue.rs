//! Moving the first instructions of a function elsewhere.
//!
//! This code knows the instructions with which compilers begin a function, and refuses all others.
//! It adjusts addresses relative to the instruction itself (data, targets of jumps), so the new
//! place must be within 2 GiB.

use crate::arch::vdso::bytes::Bytes;

/// Appends the first whole instructions of `code` that cover at least `least` bytes to `out`, fit
/// to run at `to` instead of `from`. Returns how many bytes of `code` they were; `None` if one of
/// them can't be moved.
pub fn relocate<const N: usize>(
    code: &[u8],
    from: u64,
    to: u64,
    least: usize,
    out: &mut Bytes<N>,
) -> Option<usize> {
    let begin = out.len();
    let mut at = 0;
    while at < least {
        let instruction = Instruction::decode(code.get(at..)?)?;
        let old = code.get(at..at + instruction.len)?;
        let (old_end, new_at) =
            (from + (at + instruction.len) as u64, to + (out.len() - begin) as u64);
        match instruction.relative {
            Relative::Nothing => out.push(old)?,
            Relative::Data(field) => {
                let distance = i32::from_le_bytes(old[field..field + 4].try_into().ok()?);
                let target = old_end.wrapping_add(distance as i64 as u64);
                out.push(&old[..field])?;
                out.push(&reach(new_at + instruction.len as u64, target)?)?;
                out.push(&old[field + 4..])?;
            }
            Relative::Jump { condition, distance } => {
                let target = old_end.wrapping_add(distance as i64 as u64);
                if (from..from + least as u64).contains(&target) {
                    return None;
                }
                // The long form of the conditional jump.
                out.push(&[0x0f, 0x80 | condition])?;
                out.push(&reach(new_at + 6, target)?)?;
            }
        }
        at += instruction.len;
    }
    Some(at)
}

/// The 32-bit distance from the instruction that ends at `end` to `target`.
pub fn reach(end: u64, target: u64) -> Option<[u8; 4]> {
    i32::try_from(target.wrapping_sub(end) as i64).ok().map(i32::to_le_bytes)
}

/// The part of an instruction that depends on its place.
#[derive(PartialEq, Eq, Debug)]
enum Relative {
    Nothing,
    /// A 32-bit distance to data, at this offset in the instruction.
    Data(usize),
    /// A conditional jump.
    Jump {
        condition: u8,
        distance: i32,
    },
}

struct Instruction {
    len: usize,
    relative: Relative,
}

impl Instruction {
    fn decode(code: &[u8]) -> Option<Instruction> {
        let plain = |len| Some(Instruction { len, relative: Relative::Nothing });
        if code.starts_with(&[0xf3, 0x0f, 0x1e, 0xfa]) {
            // endbr64
            return plain(4);
        }
        let rex = *code.first()? & 0xf0 == 0x40;
        let wide = rex && code[0] & 8 != 0;
        let at = rex as usize;
        let op = *code.get(at)?;
        let i32_at = |at: usize| Some(i32::from_le_bytes(code.get(at..at + 4)?.try_into().ok()?));
        match op {
            // push and pop of a register, nop
            0x50..=0x5f | 0x90 => plain(at + 1),
            // The eight arithmetic operations between register and memory, or of al or eax with a
            // constant
            0x00..=0x3f if op & 7 < 4 => operands(code, at + 1, 0),
            0x00..=0x3f if op & 7 == 4 => plain(at + 2),
            0x00..=0x3f if op & 7 == 5 => plain(at + 5),
            // movsxd; test, mov; lea
            0x63 | 0x84 | 0x85 | 0x88..=0x8b | 0x8d => operands(code, at + 1, 0),
            // Arithmetic, shift, mov, imul with a constant of 8 bits; of 32
            0x80 | 0x83 | 0xc0 | 0xc1 | 0xc6 | 0x6b => operands(code, at + 1, 1),
            0x81 | 0xc7 | 0x69 => operands(code, at + 1, 4),
            // Shift by one, by cl
            0xd1 | 0xd3 => operands(code, at + 1, 0),
            // mov and test of a constant
            0xb0..=0xb7 | 0xa8 => plain(at + 2),
            0xb8..=0xbf => plain(at + if wide { 9 } else { 5 }),
            0xa9 => plain(at + 5),
            0x70..=0x7f => {
                let distance = *code.get(at + 1)? as i8 as i32;
                Some(Instruction {
                    len: at + 2,
                    relative: Relative::Jump { condition: op & 15, distance },
                })
            }
            0x0f => match *code.get(at + 1)? {
                // A long nop, cmov, setcc, bt, imul, movzx, movsx
                0x1f | 0x40..=0x4f | 0x90..=0x9f | 0xa3 | 0xaf | 0xb6 | 0xb7 | 0xbe | 0xbf => {
                    operands(code, at + 2, 0)
                }
                0xba => operands(code, at + 2, 1),
                op @ 0x80..=0x8f => {
                    let distance = i32_at(at + 2)?;
                    Some(Instruction {
                        len: at + 6,
                        relative: Relative::Jump { condition: op & 15, distance },
                    })
                }
                _ => None,
            },
            _ => None,
        }
    }
}

/// An instruction whose operands (ModRM, SIB, displacement) begin at `at`, with `constant` bytes
/// after them.
fn operands(code: &[u8], at: usize, constant: usize) -> Option<Instruction> {
    let modrm = *code.get(at)?;
    let (mode, memory) = (modrm >> 6, modrm & 7);
    let sib = mode != 3 && memory == 4;
    let base = if sib { *code.get(at + 1)? & 7 } else { memory };
    let displacement = match mode {
        0 if base == 5 => 4,
        1 => 1,
        2 => 4,
        _ => 0,
    };
    let field = at + 1 + sib as usize;
    let len = field + displacement + constant;
    let relative = if mode == 0 && memory == 5 { Relative::Data(field) } else { Relative::Nothing };
    (len <= code.len()).then_some(Instruction { len, relative })
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    const FROM: u64 = 0x7000_0000_1000;
    const TO: u64 = 0x7000_0000_0c00;

    fn moved(code: &[u8]) -> Option<(usize, Vec<u8>)> {
        let mut out = Bytes::<64>::new();
        relocate(code, FROM, TO, 5, &mut out).map(|used| (used, out.get().to_vec()))
    }

    #[test]
    fn independent_instructions_are_copied() {
        // push rbp; mov rbp, rsp; push r14; …
        let code = [0x55, 0x48, 0x89, 0xe5, 0x41, 0x56, 0x53, 0x48, 0x83, 0xe4, 0xf0];
        assert_eq!(moved(&code), Some((6, code[..6].to_vec())));
        // endbr64; push rbp
        let code = [0xf3, 0x0f, 0x1e, 0xfa, 0x55, 0x90];
        assert_eq!(moved(&code), Some((5, code[..5].to_vec())));
        // sub rsp, 0x18 with a long constant; mov rax, [rsp + rcx * 8 + 0x10]
        let code = [0x48, 0x81, 0xec, 0x18, 0, 0, 0, 0x48, 0x8b, 0x44, 0xcc, 0x10];
        assert_eq!(moved(&code), Some((7, code[..7].to_vec())));
        // movabs rax, …
        let code = [0x48, 0xb8, 1, 2, 3, 4, 5, 6, 7, 8];
        assert_eq!(moved(&code), Some((10, code.to_vec())));
    }

    #[test]
    fn distances_are_adjusted() {
        // push rbp; lea r10, [rip - 0x6818]: the target stays where it is, 0x400 further from here.
        let code = [0x55, 0x4c, 0x8d, 0x15, 0xe8, 0x97, 0xff, 0xff];
        assert_eq!(moved(&code), Some((8, vec![0x55, 0x4c, 0x8d, 0x15, 0xe8, 0x9b, 0xff, 0xff])));
        // cmp dword [rip - 0x6ac6], 0x7fffffff: a constant after the distance.
        let code = [0x81, 0x3d, 0x3a, 0x95, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f];
        assert_eq!(
            moved(&code),
            Some((10, vec![0x81, 0x3d, 0x3a, 0x99, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f]))
        );
        // cmp edi, 23; ja + 0x67: becomes the long form, 4 bytes longer.
        let code = [0x83, 0xff, 0x17, 0x77, 0x67, 0x90];
        assert_eq!(moved(&code), Some((5, vec![0x83, 0xff, 0x17, 0x0f, 0x87, 0x63, 0x04, 0, 0])));
        // cmp edi, 23; ja + 0xd2
        let code = [0x83, 0xff, 0x17, 0x0f, 0x87, 0xd2, 0, 0, 0];
        assert_eq!(moved(&code), Some((9, vec![0x83, 0xff, 0x17, 0x0f, 0x87, 0xd2, 0x04, 0, 0])));
    }

    #[test]
    fn what_is_not_known_is_refused() {
        // A jump into what is overwritten, a call, rdtsc, an operand-size prefix, the end of the
        // function, nothing.
        for code in [
            &[0x83, 0xff, 0x17, 0x75, 0xfb][..],
            &[0xe8, 0, 0, 0, 0],
            &[0x0f, 0x31, 0x90, 0x90, 0x90],
            &[0x66, 0x90, 0x90, 0x90, 0x90],
            &[0x31, 0xc0, 0xc3, 0x90, 0x90],
            &[0x55, 0x48],
            &[],
        ] {
            assert_eq!(moved(code), None, "{code:x?}");
        }
    }
}
