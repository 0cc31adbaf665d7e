using System.Buffers.Binary;

namespace Engram.Build;

/// <summary>The versions that a shared library provides (<c>.gnu.version_d</c>).</summary>
internal static class ElfVersionDefinitions
{
    private const uint VersionDefinitionsType = 0x6ffffffd;
    private const int RecordSize = 20;
    private const int NameSize = 8;

    /// <summary>The names of the defined versions, in file order; empty where there are none.</summary>
    /// <exception cref="BadImageFormatException">The file is malformed.</exception>
    public static IReadOnlyList<string> Read(ElfImage image)
    {
        if (image.FindSection(VersionDefinitionsType) is not { } section) return [];
        ElfSection names = image.LinkOf(section);
        var versions = new List<string>();

        long at = 0;
        for (uint i = 0; i < section.Info; i++)
        {
            ReadOnlySpan<byte> record = image.Slice(section, at, RecordSize);
            // The first name is the version's own; those after it are the versions it inherits from.
            uint first = BinaryPrimitives.ReadUInt32LittleEndian(record[12..]);
            ReadOnlySpan<byte> name = image.Slice(section, at + first, NameSize);
            versions.Add(image.Text(names, BinaryPrimitives.ReadUInt32LittleEndian(name)));
            uint next = BinaryPrimitives.ReadUInt32LittleEndian(record[16..]);
            if (next == 0) break;
            if (next < RecordSize) throw new BadImageFormatException("its version definitions overlap");
            at += next;
        }
        return versions;
    }
}
