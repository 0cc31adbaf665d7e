using System.Buffers.Binary;
using System.IO.Compression;
using System.Security.Cryptography;

namespace Engram.Data;

/// <summary>Reads files in the idx format of the MNIST site, plain or gzipped: magic, sizes, unsigned bytes.</summary>
public static class IdxFile
{
    private const int MaxDimensions = 4;

    // gzip can pack a thousand bytes into one; images of digits take about a fifth of their size.
    private const int MostPacking = 100;
    private const int LeastUnpacked = 1 << 20;

    /// <summary>Reads a file of unsigned bytes.</summary>
    /// <param name="path">A file; gzip is recognised by its first two bytes.</param>
    /// <param name="dimensions">How many dimensions are expected: 3 for images, 1 for labels.</param>
    /// <param name="sha256">The expected checksum of the unpacked content, in hexadecimal, or null not to check.</param>
    /// <returns>The sizes and the values, row by row.</returns>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="InvalidDataException">The file is damaged; the message names it and says what is wrong.</exception>
    public static (int[] Sizes, byte[] Values) Read(string path, int dimensions, string? sha256 = null) =>
        Read(path, dimensions, sha256, _ => null);

    /// <summary>Reads a file whose sizes are asked about before any value is read.</summary>
    /// <param name="path">A file.</param>
    /// <param name="dimensions">How many dimensions are expected.</param>
    /// <param name="sha256">The expected checksum, or null.</param>
    /// <param name="whyNot">Why sizes are not wanted, or null.</param>
    internal static (int[] Sizes, byte[] Values) Read(string path, int dimensions, string? sha256, Func<int[], string?> whyNot)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(dimensions, MaxDimensions);
        if (!File.Exists(path)) throw new FileNotFoundException($"{path}: no such file, expected an idx file", path);
        try
        {
            using var file = File.OpenRead(path);
            Span<byte> start = stackalloc byte[2];
            var gzipped = file.ReadAtLeast(start, 2, throwOnEndOfStream: false) == 2 && start is [0x1f, 0x8b];
            file.Position = 0;
            using var content = gzipped ? new GZipStream(file, CompressionMode.Decompress) : (Stream)file;
            using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);

            var header = new byte[4 + (4 * dimensions)];
            Fill(path, content, header, "header");
            hash.AppendData(header);
            var magic = BinaryPrimitives.ReadInt32BigEndian(header);
            if (magic != (0x0800 | dimensions))
                throw new InvalidDataException(
                    $"{path}: magic 0x{magic:x8}, expected 0x{0x0800 | dimensions:x8} (unsigned bytes, {dimensions} dimensions)");
            var sizes = new int[dimensions];
            long length = 1;
            for (var d = 0; d < dimensions; d++)
            {
                sizes[d] = BinaryPrimitives.ReadInt32BigEndian(header.AsSpan(4 + (4 * d)));
                // The bound per step keeps the product from overflowing.
                if (sizes[d] < 1 || (length *= sizes[d]) > Array.MaxLength)
                    throw new InvalidDataException($"{path}: size {sizes[d]} in dimension {d} is not possible");
            }
            if (whyNot(sizes) is { } reason) throw new InvalidDataException($"{path}: {reason}");
            if (gzipped && length > Math.Max(LeastUnpacked, MostPacking * file.Length))
                throw new InvalidDataException(
                    $"{path}: truncated, or not what its header says: {length} values in {file.Length} bytes of gzip, expected at most {MostPacking} for one");
            var values = ReadValues(path, content, (int)length);
            hash.AppendData(values);
            if (content.ReadByte() >= 0)
                throw new InvalidDataException($"{path}: more than the {length} values its header announces");
            var actual = Convert.ToHexStringLower(hash.GetHashAndReset());
            return sha256 is null || actual == sha256
                ? (sizes, values)
                : throw new InvalidDataException($"{path}: checksum (SHA-256) {actual}, expected {sha256}");
        }
        catch (InvalidDataException problem) when (!problem.Message.StartsWith(path, StringComparison.Ordinal))
        {
            throw new InvalidDataException($"{path}: damaged gzip data ({problem.Message})", problem);
        }
    }

    // Grows as data arrives: a hostile header cannot make us allocate more than a small multiple of what the file holds.
    private static byte[] ReadValues(string path, Stream content, int length)
    {
        var values = new byte[Math.Min(length, 1 << 20)];
        var filled = 0;
        while (true)
        {
            Fill(path, content, values.AsSpan(filled), $"values {filled} to {values.Length} of {length}");
            filled = values.Length;
            if (filled == length) return values;
            Array.Resize(ref values, (int)Math.Min(length, filled * 2L));
        }
    }

    private static void Fill(string path, Stream content, Span<byte> into, string what)
    {
        var read = content.ReadAtLeast(into, into.Length, throwOnEndOfStream: false);
        if (read < into.Length)
            throw new InvalidDataException($"{path}: truncated in its {what}, {into.Length - read} bytes are missing");
    }
}
