using System.Buffers.Binary;

namespace Engram.Build;

/// <summary>One version of one library that an ELF file asks the loader for (a <c>vernaux</c> entry).</summary>
/// <param name="Library">The library's file name, such as <c>libstdc++.so.6</c>.</param>
/// <param name="Version">The version's name, such as <c>GLIBCXX_3.4.32</c>.</param>
/// <param name="Index">The number by which <c>.gnu.version</c> gives symbols this version (<c>vna_other</c>).</param>
/// <param name="Flags"><c>vna_flags</c>.</param>
/// <param name="FlagsOffset">Where <paramref name="Flags"/> lies in the file.</param>
internal sealed record VersionNeed(string Library, string Version, ushort Index, ushort Flags, int FlagsOffset)
{
    /// <summary><c>VER_FLG_WEAK</c>: the loader goes on when the library lacks the version.</summary>
    public const ushort WeakFlag = 0x2;

    /// <summary>Whether the loader accepts a library that lacks this version.</summary>
    public bool IsWeak => (Flags & WeakFlag) != 0;
}

/// <summary>
/// What an ELF file asks of its libraries' versions (<c>.gnu.version_r</c>), and which of that it uses.
/// </summary>
internal sealed class ElfVersionNeeds
{
    private const uint VersionNeedsType = 0x6ffffffe;
    private const uint SymbolVersionsType = 0x6fffffff;
    private const uint DynamicSymbolsType = 11;
    private const uint RelocationsWithAddendType = 4;
    private const uint RelocationsType = 9;
    private const int RecordSize = 16;
    private const int SymbolSize = 24;
    private const ushort IndexMask = 0x7fff;

    private readonly ElfImage _image;

    private ElfVersionNeeds(ElfImage image, IReadOnlyList<VersionNeed> all)
    {
        _image = image;
        All = all;
    }

    /// <summary>Every version asked for, in file order; empty where the file asks for none.</summary>
    public IReadOnlyList<VersionNeed> All { get; }

    /// <summary>Reads the version-needed entries.</summary>
    /// <exception cref="BadImageFormatException">The file is malformed.</exception>
    public static ElfVersionNeeds Read(ElfImage image)
    {
        if (image.FindSection(VersionNeedsType) is not { } section) return new ElfVersionNeeds(image, []);
        ElfSection names = image.LinkOf(section);
        var all = new List<VersionNeed>();

        long need = 0;
        for (uint i = 0; i < section.Info; i++)
        {
            ReadOnlySpan<byte> record = image.Slice(section, need, RecordSize);
            int count = BinaryPrimitives.ReadUInt16LittleEndian(record[2..]);
            string library = image.Text(names, BinaryPrimitives.ReadUInt32LittleEndian(record[4..]));
            ReadVersions(need + BinaryPrimitives.ReadUInt32LittleEndian(record[8..]), count, library);
            uint next = BinaryPrimitives.ReadUInt32LittleEndian(record[12..]);
            if (next == 0) break;
            if (next < RecordSize) throw new BadImageFormatException("its version-needed records overlap");
            need += next;
        }
        return new ElfVersionNeeds(image, all);

        void ReadVersions(long at, int count, string library)
        {
            for (int j = 0; j < count; j++)
            {
                // Records that overlap could otherwise be walked for hours in a hostile file.
                if (all.Count >= section.Size / RecordSize)
                    throw new BadImageFormatException("its version-needed records overlap");
                ReadOnlySpan<byte> record = image.Slice(section, at, RecordSize);
                all.Add(new VersionNeed(
                    library,
                    image.Text(names, BinaryPrimitives.ReadUInt32LittleEndian(record[8..])),
                    (ushort)(BinaryPrimitives.ReadUInt16LittleEndian(record[6..]) & IndexMask),
                    BinaryPrimitives.ReadUInt16LittleEndian(record[4..]),
                    section.Offset + (int)at + 4));
                uint next = BinaryPrimitives.ReadUInt32LittleEndian(record[12..]);
                if (next == 0) break;
                at += next;
            }
        }
    }

    /// <summary>
    /// The name of a symbol with this version that a relocation refers to, or null where none does.
    /// Only a version without such a symbol can be done without.
    /// </summary>
    /// <exception cref="BadImageFormatException">The file is malformed, so that nothing can be said.</exception>
    public string? FindRelocatedSymbol(VersionNeed need)
    {
        ElfSection symbols = _image.FindSection(DynamicSymbolsType)
            ?? throw new BadImageFormatException("it has no dynamic symbol table");
        ElfSection versions = _image.FindSection(SymbolVersionsType)
            ?? throw new BadImageFormatException("it has no symbol versions");

        foreach (ElfSection section in _image.Sections)
        {
            int size = section.Type switch { RelocationsWithAddendType => 24, RelocationsType => 16, _ => 0 };
            if (size == 0) continue;
            ReadOnlySpan<byte> relocations = _image.Slice(section, 0, section.Size);
            for (int at = 0; at + size <= relocations.Length; at += size)
            {
                // The upper half of r_info is the symbol's index; 0 is "no symbol".
                uint symbol = BinaryPrimitives.ReadUInt32LittleEndian(relocations[(at + 12)..]);
                if (symbol != 0 && VersionOf(versions, symbol) == need.Index) return NameOf(symbols, symbol);
            }
        }
        return null;
    }

    /// <summary>A copy of the file in which this one version is marked weak; nothing else differs.</summary>
    public static byte[] MarkWeak(ReadOnlySpan<byte> file, VersionNeed need)
    {
        byte[] marked = file.ToArray();
        BinaryPrimitives.WriteUInt16LittleEndian(
            marked.AsSpan(need.FlagsOffset), (ushort)(need.Flags | VersionNeed.WeakFlag));
        return marked;
    }

    private int VersionOf(ElfSection versions, uint symbol) =>
        BinaryPrimitives.ReadUInt16LittleEndian(_image.Slice(versions, (long)symbol * 2, 2)) & IndexMask;

    private string NameOf(ElfSection symbols, uint symbol)
    {
        ReadOnlySpan<byte> record = _image.Slice(symbols, (long)symbol * SymbolSize, SymbolSize);
        return _image.Text(_image.LinkOf(symbols), BinaryPrimitives.ReadUInt32LittleEndian(record));
    }
}
