using System.Buffers.Binary;
using System.Text;

namespace Engram.Build.Tests;

/// <summary>A version that a synthetic file asks for, and how its one symbol with that version is used.</summary>
internal sealed record AskedVersion(string Version, bool Relocated = false, string Library = "libstdc++.so.6");

/// <summary>Builds the smallest 64-bit ELF files that ask for versions or define them.</summary>
internal static class SyntheticElf
{
    /// <summary>A shim as TorchSharp's: one old version in use, the spare one not.</summary>
    public static byte[] Shim(bool spareRelocated = false) =>
        Build(
            [new("GLIBCXX_3.4.30", true), new(TorchShim.SpareVersion, spareRelocated), new("CXXABI_1.3", true)],
            []);

    /// <summary>A libstdc++ that defines GLIBCXX_3.4 up to this last number, and the shim's CXXABI.</summary>
    public static byte[] CxxLibrary(int last) =>
        Build(
            [],
            [.. Enumerable.Range(1, last).Select(n => $"GLIBCXX_3.4.{n}"), "GLIBCXX_LDBL_3.4", "CXXABI_1.3"]);

    /// <summary>A file with these version needs (one symbol each) and these version definitions.</summary>
    public static byte[] Build(IReadOnlyList<AskedVersion> asked, IReadOnlyList<string> defined)
    {
        var names = new List<byte> { 0 };
        uint Name(string text)
        {
            uint at = (uint)names.Count;
            names.AddRange(Encoding.UTF8.GetBytes(text));
            names.Add(0);
            return at;
        }

        byte[] symbols = new byte[24 * (asked.Count + 1)];
        byte[] versions = new byte[2 * (asked.Count + 1)];
        var relocations = new List<byte>();
        byte[] needs = new byte[32 * asked.Count];
        for (int i = 0; i < asked.Count; i++)
        {
            ushort index = (ushort)(i + 2);
            U32(symbols, 24 * (i + 1), Name($"symbol_{i}"));
            U16(versions, 2 * (i + 1), index);
            if (asked[i].Relocated) relocations.AddRange(Relocation((uint)i + 1));
            // verneed: version, count, file, first aux, next; then its one vernaux: hash, flags, other, name, next.
            int at = 32 * i;
            U16(needs, at, 1);
            U16(needs, at + 2, 1);
            U32(needs, at + 4, Name(asked[i].Library));
            U32(needs, at + 8, 16);
            U32(needs, at + 12, i + 1 < asked.Count ? 32u : 0);
            U16(needs, at + 22, index);
            U32(needs, at + 24, Name(asked[i].Version));
        }

        byte[] definitions = new byte[28 * defined.Count];
        for (int i = 0; i < defined.Count; i++)
        {
            int at = 28 * i;
            U16(definitions, at, 1);
            U16(definitions, at + 6, 1);
            U32(definitions, at + 12, 20);
            U32(definitions, at + 16, i + 1 < defined.Count ? 28u : 0);
            U32(definitions, at + 20, Name(defined[i]));
        }

        return Assemble(
        [
            (0, [], 0, 0),
            (11, symbols, 2, 1),
            (3, [.. names], 0, 0),
            (0x6fffffff, versions, 1, 0),
            (asked.Count > 0 ? 0x6ffffffe : 1u, needs, 2, (uint)asked.Count),
            (defined.Count > 0 ? 0x6ffffffd : 1u, definitions, 2, (uint)defined.Count),
            (4, [.. relocations], 1, 0),
        ]);
    }

    private static byte[] Assemble(IReadOnlyList<(uint Type, byte[] Content, uint Link, uint Info)> sections)
    {
        int table = 64 + sections.Sum(s => s.Content.Length);
        byte[] file = new byte[table + (64 * sections.Count)];
        "\u007fELF"u8.CopyTo(file);
        (file[4], file[5], file[6]) = (2, 1, 1);
        U64(file, 0x28, (ulong)table);
        U16(file, 0x3A, 64);
        U16(file, 0x3C, (ushort)sections.Count);

        int offset = 64;
        for (int i = 0; i < sections.Count; i++)
        {
            (uint type, byte[] content, uint link, uint info) = sections[i];
            content.CopyTo(file, offset);
            int header = table + (64 * i);
            U32(file, header + 4, type);
            U64(file, header + 0x18, (ulong)offset);
            U64(file, header + 0x20, (ulong)content.Length);
            U32(file, header + 0x28, link);
            U32(file, header + 0x2C, info);
            offset += content.Length;
        }
        return file;
    }

    private static byte[] Relocation(uint symbol)
    {
        byte[] record = new byte[24];
        U32(record, 8, 7);
        U32(record, 12, symbol);
        return record;
    }

    private static void U16(byte[] b, int at, ushort v) => BinaryPrimitives.WriteUInt16LittleEndian(b.AsSpan(at), v);

    private static void U32(byte[] b, int at, uint v) => BinaryPrimitives.WriteUInt32LittleEndian(b.AsSpan(at), v);

    private static void U64(byte[] b, int at, ulong v) => BinaryPrimitives.WriteUInt64LittleEndian(b.AsSpan(at), v);
}
