using System.Globalization;
using Engram.Persistence;

namespace Engram.Server;

/// <summary>
/// Learners whose deletion has begun: their folders are renamed to <c>learners/.deleted.name.time</c> at once, which decides, and then
/// deleted file by file. A folder without this mark is never deleted, whatever the list of learners says.
/// </summary>
internal sealed class DeletedLearners(ServiceOptions options)
{
    private const string Mark = ".deleted.";
    private readonly string _root = Path.Combine(options.Folder, "learners");

    /// <summary>Whether the deletion of a learner has begun.</summary>
    public bool Has(string name, DateTimeOffset created) => Directory.Exists(Marked(name, created));

    /// <summary>Begins to delete a learner.</summary>
    /// <exception cref="IOException">Its folder cannot be renamed; nothing was deleted.</exception>
    public void Begin(string name, DateTimeOffset created)
    {
        if (Has(name, created)) return;
        Directory.CreateDirectory(LearnerContext.FolderOf(options, name)); // lost by other hands: it is deleted nevertheless
        Directory.Move(LearnerContext.FolderOf(options, name), Marked(name, created));
        AtomicFile.FlushFolder(_root);
    }

    /// <summary>Deletes the files of learners whose deletion has begun, as far as the system lets it.</summary>
    /// <returns>Whether none is left.</returns>
    public bool Sweep()
    {
        if (!Directory.Exists(_root)) return true;
        var all = true;
        foreach (var folder in Directory.EnumerateDirectories(_root, Mark + "*"))
            try
            {
                Directory.Delete(folder, recursive: true);
            }
            catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
            {
                all = false; // a file is open elsewhere; the next start tries again
            }
        return all;
    }

    private string Marked(string name, DateTimeOffset created) =>
        Path.Combine(_root, string.Create(CultureInfo.InvariantCulture, $"{Mark}{name}.{created.ToUnixTimeMilliseconds()}"));
}
