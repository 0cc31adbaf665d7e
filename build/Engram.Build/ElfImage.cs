using System.Buffers.Binary;
using System.Text;

namespace Engram.Build;

/// <summary>One section header of an ELF file.</summary>
/// <param name="Type">What the section holds (<c>sh_type</c>).</param>
/// <param name="Offset">Where its content starts in the file.</param>
/// <param name="Size">Length of its content in bytes.</param>
/// <param name="Link">Index of the section it refers to, such as its string table.</param>
/// <param name="Info">Extra number whose meaning depends on the type; for versions, how many records.</param>
internal readonly record struct ElfSection(uint Type, int Offset, int Size, int Link, uint Info);

/// <summary>
/// The sections of a 64-bit little-endian ELF file, read with every offset checked.
/// Anything that is not such a file, or that points outside itself, is a <see cref="BadImageFormatException"/>.
/// </summary>
internal sealed class ElfImage
{
    private const int HeaderSize = 64;
    private const int SectionHeaderSize = 64;
    private const uint NoBits = 8;

    private readonly ReadOnlyMemory<byte> _bytes;

    private ElfImage(ReadOnlyMemory<byte> bytes, IReadOnlyList<ElfSection> sections)
    {
        _bytes = bytes;
        Sections = sections;
    }

    /// <summary>All sections, in the order of their headers.</summary>
    public IReadOnlyList<ElfSection> Sections { get; }

    /// <summary>Reads the header and the section table.</summary>
    /// <exception cref="BadImageFormatException">Not ELF, 32-bit, big-endian, truncated or malformed.</exception>
    public static ElfImage Read(ReadOnlyMemory<byte> bytes)
    {
        ReadOnlySpan<byte> span = bytes.Span;
        if (!span.StartsWith("\u007fELF"u8)) throw new BadImageFormatException("it is not an ELF file");
        if (span.Length < HeaderSize) throw new BadImageFormatException("its ELF header is truncated");
        if (span[4] != 2) throw new BadImageFormatException("it is not a 64-bit ELF file");
        if (span[5] != 1) throw new BadImageFormatException("it is not a little-endian ELF file");

        ulong table = BinaryPrimitives.ReadUInt64LittleEndian(span[0x28..]);
        int entrySize = BinaryPrimitives.ReadUInt16LittleEndian(span[0x3A..]);
        int count = BinaryPrimitives.ReadUInt16LittleEndian(span[0x3C..]);
        if (table == 0 || count == 0) throw new BadImageFormatException("it has no section headers");
        if (entrySize != SectionHeaderSize)
            throw new BadImageFormatException("its section headers have a foreign size");
        int start = CheckRange(span.Length, table, (ulong)(count * SectionHeaderSize), "section header table");

        var sections = new ElfSection[count];
        for (int i = 0; i < count; i++)
            sections[i] = ReadSection(span, span.Slice(start + (i * SectionHeaderSize), SectionHeaderSize));
        return new ElfImage(bytes, sections);
    }

    /// <summary>The first section of this type, if there is one.</summary>
    public ElfSection? FindSection(uint type)
    {
        foreach (ElfSection section in Sections)
        {
            if (section.Type == type) return section;
        }
        return null;
    }

    /// <summary>The section that <paramref name="section"/> refers to by <c>sh_link</c>.</summary>
    public ElfSection LinkOf(ElfSection section) =>
        (uint)section.Link < (uint)Sections.Count
            ? Sections[section.Link]
            : throw new BadImageFormatException("a section refers to a section that is not there");

    /// <summary><paramref name="length"/> bytes at an offset within a section.</summary>
    public ReadOnlySpan<byte> Slice(ElfSection section, long offset, int length)
    {
        if (offset < 0 || length > section.Size || offset > section.Size - length)
            throw new BadImageFormatException("a record lies outside its section");
        return _bytes.Span.Slice(section.Offset + (int)offset, length);
    }

    /// <summary>The zero-terminated text at an offset within a string table.</summary>
    public string Text(ElfSection strings, uint offset)
    {
        if (offset >= strings.Size) throw new BadImageFormatException("a name lies outside its string table");
        ReadOnlySpan<byte> tail = Slice(strings, offset, strings.Size - (int)offset);
        int end = tail.IndexOf((byte)0);
        if (end < 0) throw new BadImageFormatException("a name does not end within its string table");
        return Encoding.UTF8.GetString(tail[..end]);
    }

    private static ElfSection ReadSection(ReadOnlySpan<byte> file, ReadOnlySpan<byte> header)
    {
        uint type = BinaryPrimitives.ReadUInt32LittleEndian(header[0x04..]);
        ulong offset = BinaryPrimitives.ReadUInt64LittleEndian(header[0x18..]);
        ulong size = BinaryPrimitives.ReadUInt64LittleEndian(header[0x20..]);
        int link = BinaryPrimitives.ReadInt32LittleEndian(header[0x28..]);
        uint info = BinaryPrimitives.ReadUInt32LittleEndian(header[0x2C..]);
        // A section without bits (.bss) occupies nothing in the file, whatever its header says.
        if (type is NoBits or 0) return new ElfSection(type, 0, 0, link, info);
        return new ElfSection(type, CheckRange(file.Length, offset, size, "section"), (int)size, link, info);
    }

    private static int CheckRange(int fileLength, ulong offset, ulong size, string what)
    {
        if (offset > (ulong)fileLength || size > (ulong)fileLength - offset)
            throw new BadImageFormatException($"a {what} lies outside the file (truncated?)");
        return (int)offset;
    }
}
