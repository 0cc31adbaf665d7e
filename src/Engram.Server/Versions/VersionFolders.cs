using System.Globalization;
using Engram.Persistence;

namespace Engram.Server.Versions;

/// <summary>The folders of a learner's versions: <c>versions/7</c>, or <c>versions/.7.making</c> until it is whole.</summary>
internal sealed class VersionFolders
{
    private readonly string _root;

    /// <param name="learner">The learner's folder.</param>
    public VersionFolders(string learner)
    {
        _root = Path.Combine(learner, "versions");
        AtomicFile.CreateFolder(_root);
    }

    /// <summary>Where a version is.</summary>
    public string PathOf(int version) => Path.Combine(_root, version.ToString(CultureInfo.InvariantCulture));

    /// <summary>Whether a version is there.</summary>
    public bool Has(int version) => Directory.Exists(PathOf(version));

    /// <summary>The versions that are there.</summary>
    public IReadOnlyList<int> Present =>
        [.. Directory.EnumerateDirectories(_root).Select(path => Path.GetFileName(path))
            .Where(name => int.TryParse(name, NumberStyles.None, CultureInfo.InvariantCulture, out _)).Select(name => int.Parse(name, CultureInfo.InvariantCulture))];

    /// <summary>A place to make a version in, empty.</summary>
    public string Begin(int version)
    {
        var making = Path.Combine(_root, string.Create(CultureInfo.InvariantCulture, $".{version}.making"));
        Abandon(making);
        return making;
    }

    /// <summary>Deletes what was being made.</summary>
    public static void Abandon(string making)
    {
        if (Directory.Exists(making)) Directory.Delete(making, recursive: true);
    }

    /// <summary>A place to take in a version whose number is not known yet.</summary>
    public string BeginImport() => Path.Combine(_root, $".{Guid.NewGuid():N}.import");

    /// <summary>Puts a version that is whole into its place.</summary>
    public void Finish(string making, int version)
    {
        Directory.Move(making, PathOf(version));
        AtomicFile.FlushFolder(_root);
    }

    /// <summary>Deletes a version: at once out of its place, then file by file.</summary>
    public void Delete(int version)
    {
        if (!Has(version)) return;
        var gone = Path.Combine(_root, string.Create(CultureInfo.InvariantCulture, $".{version}.gone"));
        if (Directory.Exists(gone)) Directory.Delete(gone, recursive: true);
        Directory.Move(PathOf(version), gone);
        Directory.Delete(gone, recursive: true);
    }

    /// <summary>Deletes what was half made or half deleted when the service ended.</summary>
    public void Sweep()
    {
        foreach (var folder in Directory.EnumerateDirectories(_root, ".*")) Directory.Delete(folder, recursive: true);
    }

    /// <summary>Bytes of a folder's files.</summary>
    public static long BytesOf(string folder) =>
        new DirectoryInfo(folder).EnumerateFiles("*", SearchOption.AllDirectories).Sum(file => file.Length);
}
