using System.IO.Compression;
using System.Text.RegularExpressions;

namespace Engram.Server.Versions;

/// <summary>Bundles as zip files: the manifest, its parts, and what a version says of itself; nothing else is let in.</summary>
internal static partial class BundleArchive
{
    private const long MostBytes = 8L << 30;
    private const int MostEntries = 1000;

    /// <summary>Writes a bundle's folder.</summary>
    public static async Task WriteAsync(string folder, Stream to, CancellationToken cancellationToken)
    {
        var archive = await ZipArchive.CreateAsync(to, ZipArchiveMode.Create, leaveOpen: true, null, cancellationToken).ConfigureAwait(false);
        await using (archive.ConfigureAwait(false))
        {
            foreach (var file in Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal))
            {
                var name = Path.GetRelativePath(folder, file).Replace('\\', '/');
                if (Known().IsMatch(name)) await archive.CreateEntryFromFileAsync(file, name, CompressionLevel.Fastest, cancellationToken).ConfigureAwait(false);
            }
        }
    }

    /// <summary>Reads a bundle into a new folder. It may lie in a folder of the archive.</summary>
    /// <param name="from">A zip; it is read to a file first if it cannot seek.</param>
    /// <param name="folder">A folder that is not there yet.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="InputException">No zip, no bundle in it, or one that is too large.</exception>
    public static async Task ReadAsync(Stream from, string folder, CancellationToken cancellationToken)
    {
        var seekable = from.CanSeek ? from : new FileStream(
            Path.Combine(Path.GetTempPath(), Path.GetRandomFileName()), FileMode.CreateNew, FileAccess.ReadWrite, FileShare.None, 1 << 16, FileOptions.DeleteOnClose);
        try
        {
            if (!from.CanSeek) await CopyAsync(from, seekable, MostBytes, cancellationToken).ConfigureAwait(false);
            seekable.Position = 0;
            using var archive = new ZipArchive(seekable, ZipArchiveMode.Read, leaveOpen: true);
            var manifest = archive.Entries.Take(MostEntries).FirstOrDefault(entry => entry.FullName == "manifest.json")
                ?? archive.Entries.Take(MostEntries).FirstOrDefault(entry => entry.FullName.EndsWith("/manifest.json", StringComparison.Ordinal))
                ?? throw Wrong("no manifest.json in it, expected a bundle");
            var inside = manifest.FullName[..^"manifest.json".Length];
            var room = MostBytes;
            Directory.CreateDirectory(Path.Combine(folder, "parts"));
            var seen = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
            foreach (var entry in archive.Entries.Take(MostEntries))
            {
                // Only names that a bundle has, so that none can lead elsewhere; sizes are counted as they unfold, not as they claim.
                if (!entry.FullName.StartsWith(inside, StringComparison.Ordinal)) continue;
                var name = entry.FullName[inside.Length..];
                if (!Known().IsMatch(name)) continue;
                if (!seen.Add(name)) throw Wrong($"{name} is in it twice, expected once");
                using var content = entry.Open();
                using var file = new FileStream(Path.Combine(folder, name), FileMode.CreateNew);
                room -= await CopyAsync(content, file, room, cancellationToken).ConfigureAwait(false);
                file.Flush(flushToDisk: true);
            }
        }
        catch (Exception problem) when (problem is InvalidDataException or NotSupportedException)
        {
            throw Wrong($"{problem.Message.TrimEnd('.')}, expected a zip of a bundle");
        }
        finally
        {
            if (!from.CanSeek) await seekable.DisposeAsync().ConfigureAwait(false);
        }
    }

    private static async Task<long> CopyAsync(Stream from, Stream to, long most, CancellationToken cancellationToken)
    {
        var buffer = new byte[1 << 16];
        var total = 0L;
        for (int read; (read = await from.ReadAsync(buffer, cancellationToken).ConfigureAwait(false)) > 0;)
        {
            if ((total += read) > most) throw Wrong($"more than {MostBytes} bytes, expected at most as many");
            await to.WriteAsync(buffer.AsMemory(0, read), cancellationToken).ConfigureAwait(false);
        }
        return total;
    }

    private static InputException Wrong(string what) => new("bundle", $"bundle: {what}");

    [GeneratedRegex(@"\A(manifest\.json|version\.json|parts/[0-9a-f]{64}\.safetensors)\z")]
    private static partial Regex Known();
}
