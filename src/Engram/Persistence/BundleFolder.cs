using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text.RegularExpressions;

namespace Engram.Persistence;

/// <summary>
/// The files of a bundle: <c>manifest.json</c>, and in <c>parts/</c> files named by their SHA-256. The manifest is
/// replaced last and in one go, and what it does not name is swept afterwards: at every instant a whole bundle is there.
/// </summary>
internal sealed partial class BundleFolder
{
    public const string ManifestName = "manifest.json";
    private const string PartsName = "parts";
    private const int MaxManifest = 64 << 20;

    private readonly string _path;

    public BundleFolder(string path) => _path = Path.TrimEndingDirectorySeparator(Path.GetFullPath(path));

    public string ManifestPath => Path.Combine(_path, ManifestName);

    private string Parts => Path.Combine(_path, PartsName);

    // A link in the place of the folder would have us read and write where no bundle is.
    private bool PartsAreElsewhere => new DirectoryInfo(Parts).LinkTarget is not null;

    public bool HasManifest => File.Exists(ManifestPath);

    public string PathOf(BundlePart part) => Path.Combine(Parts, $"{part.Sha256}.safetensors");

    /// <summary>Writes parts and manifest, and clears away what no manifest names.</summary>
    /// <param name="writers">What writes each part; must write the same bytes each time.</param>
    /// <param name="manifestOf">The manifest's bytes, from the parts.</param>
    /// <param name="parent">A bundle to share equal parts with.</param>
    public void Save(
        IReadOnlyList<(string Name, Action<Stream> Write)> writers, Func<IReadOnlyList<BundlePart>, byte[]> manifestOf,
        BundleFolder? parent)
    {
        if (File.Exists(_path)) throw new IOException($"{_path}: a file, expected a folder or nothing");
        if (PartsAreElsewhere) throw new IOException($"{_path}: {PartsName} is a link, expected a folder");
        var isNew = !Directory.Exists(_path);
        if (!isNew && !HasManifest && Directory.EnumerateFileSystemEntries(_path).Any(entry => Path.GetFileName(entry) != PartsName))
            throw new IOException($"{_path}: a folder that is no bundle, expected a bundle, an empty folder or nothing");
        var sibling = Sibling("saving");
        var folder = isNew ? new BundleFolder(sibling) : this;
        try
        {
            AtomicFile.CreateFolder(folder.Parts);
            BundlePart[] parts = [.. writers.Select(writer => folder.Put(writer.Name, writer.Write, parent))];
            AtomicFile.FlushFolder(folder.Parts);
            var json = manifestOf(parts);
            AtomicFile.Write(folder.ManifestPath, stream => stream.Write(json));
            if (isNew)
            {
                Directory.Move(sibling, _path);
                AtomicFile.FlushFolder(Path.GetDirectoryName(_path)!);
            }
            SweepSiblings();
            Sweep([.. parts.Select(part => Path.GetFileName(PathOf(part)))]);
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            CleanUpAfterFailure(isNew ? sibling : null);
            throw new IOException($"{_path}: not saved ({problem.Message}); a bundle saved before is as it was", problem);
        }
    }

    /// <summary>Deletes the folder and what it holds, by a rename first, so that no half of it is ever seen.</summary>
    public void Delete()
    {
        var (folder, parent) = (new DirectoryInfo(_path), Path.GetDirectoryName(_path)!);
        if (folder.LinkTarget is not null || File.Exists(_path))
            throw new IOException($"{_path}: {(folder.LinkTarget is null ? "a file" : "a link")}, expected the folder of a bundle");
        if (folder.Exists)
        {
            if (!HasManifest || folder.EnumerateFileSystemInfos().Any(entry => entry.Name is not (ManifestName or PartsName)
                && !(entry.Name.StartsWith(ManifestName, StringComparison.Ordinal) && entry.Extension == ".tmp")))
                throw new IOException($"{_path}: a folder that is no bundle or holds other files too, expected a bundle and nothing else");
            Directory.Move(_path, Sibling("deleting"));
            AtomicFile.FlushFolder(parent);
        }
        if (Directory.Exists(parent)) SweepSiblings();
    }

    public byte[] ReadManifest()
    {
        var file = new FileInfo(ManifestPath);
        if (!file.Exists) throw new FileNotFoundException($"{_path}: no bundle here, expected a folder with {ManifestName}", ManifestPath);
        if (file.LinkTarget is not null || file.Length is 0 or > MaxManifest)
            throw new InvalidDataException(
                $"{ManifestPath}: {(file.LinkTarget is null ? $"{file.Length} bytes" : "a link")}, expected a file of 1 to {MaxManifest} bytes");
        return File.ReadAllBytes(ManifestPath);
    }

    /// <summary>Reads manifest and parts without a lock: a writer may replace the manifest and sweep a part in between.</summary>
    /// <param name="read">Reads what a manifest names, given its bytes; frees what it read when it throws.</param>
    public T Read<T>(Func<byte[], T> read)
    {
        var json = ReadManifest();
        while (true)
        {
            try
            {
                return read(json);
            }
            catch (FileNotFoundException)
            {
                var now = ReadManifest();
                if (now.AsSpan().SequenceEqual(json)) throw;
                json = now;
            }
        }
    }

    /// <summary>Opens a part after checking its length and hash.</summary>
    public FileStream Open(BundlePart part)
    {
        if (part.Sha256.Length != 64 || !Digits().IsMatch(part.Sha256))
            throw new InvalidDataException($"{ManifestPath}: part {part.Name}: sha256 {part.Sha256}, expected 64 hexadecimal digits");
        if (PartsAreElsewhere) throw new InvalidDataException($"{_path}: {PartsName} is a link, expected a folder");
        var file = new FileInfo(PathOf(part));
        if (!file.Exists) throw new FileNotFoundException($"{_path}: part {part.Name} is missing, expected {file.FullName}", file.FullName);
        // A pipe or a device has no length: it is refused before it is opened.
        if (file.LinkTarget is not null || file.Length != part.Bytes || part.Bytes < 8)
            throw new InvalidDataException($"{_path}: part {part.Name}: {file.Length} bytes, expected a file of {part.Bytes}");
        var stream = new FileStream(file.FullName, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete);
        try
        {
            var hash = Convert.ToHexStringLower(SHA256.HashData(stream));
            if (hash != part.Sha256)
                throw new InvalidDataException($"{_path}: part {part.Name}: SHA-256 {hash}, expected {part.Sha256}; it is damaged");
            stream.Position = 0;
            return stream;
        }
        catch
        {
            stream.Dispose();
            throw;
        }
    }

    private BundlePart Put(string name, Action<Stream> write, BundleFolder? parent)
    {
        var part = Measure(name, write);
        if (Holds(part)) return part;
        var target = PathOf(part);
        // A link is shared only after its content was checked, so damage in the parent does not spread.
        if (parent is not null && parent.Holds(part))
        {
            File.Delete(target);
            if (!OperatingSystem.IsWindows() && Link(parent.PathOf(part), target) == 0) return part;
        }
        AtomicFile.Write(target, write);
        return part;
    }

    private static BundlePart Measure(string name, Action<Stream> write)
    {
        using var sha = SHA256.Create();
        using var counter = new CountingStream();
        using (var hashing = new CryptoStream(counter, sha, CryptoStreamMode.Write, leaveOpen: true)) write(hashing);
        return new BundlePart(name, counter.Length, Convert.ToHexStringLower(sha.Hash!));
    }

    private bool Holds(BundlePart part)
    {
        try
        {
            using var stream = Open(part);
            return true;
        }
        catch (Exception problem) when (problem is IOException or InvalidDataException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    private void Sweep(HashSet<string> keep)
    {
        foreach (var file in Directory.EnumerateFiles(Parts))
            if (!keep.Contains(Path.GetFileName(file)) && OurFile().IsMatch(Path.GetFileName(file)))
                AtomicFile.DeleteQuietly(file);
        foreach (var file in Directory.EnumerateFiles(_path, $"{ManifestName}.*.tmp")) AtomicFile.DeleteQuietly(file);
    }

    // Beside the folder, so that a rename stays in one file system.
    private string Sibling(string what) =>
        Path.Combine(Path.GetDirectoryName(_path)!, $".{Path.GetFileName(_path)}.{Path.GetRandomFileName()}.{what}");

    private void SweepSiblings()
    {
        foreach (var what in new[] { "saving", "deleting" })
            foreach (var folder in Directory.EnumerateDirectories(
                Path.GetDirectoryName(_path)!, $".{Path.GetFileName(_path)}.????????.???.{what}"))
                DeleteFolderQuietly(folder);
    }

    private void CleanUpAfterFailure(string? sibling)
    {
        try
        {
            if (sibling is not null) DeleteFolderQuietly(sibling);
            else if (HasManifest)
                Sweep([.. Bundle.Describe(_path).Parts.Select(part => Path.GetFileName(PathOf(part)))]);
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException or InvalidDataException)
        {
            // The first failure is the one to report; the next save sweeps again.
        }
    }

    private static void DeleteFolderQuietly(string folder)
    {
        try
        {
            Directory.Delete(folder, recursive: true);
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
        }
    }

    [GeneratedRegex("^[0-9a-f]{64}$")]
    private static partial Regex Digits();

    [GeneratedRegex(@"^[0-9a-f]{64}\.safetensors(\..*\.tmp)?$")]
    private static partial Regex OurFile();

    [LibraryImport("libc", EntryPoint = "link", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Link(string existing, string created);
}
