using System.Globalization;
using Engram.Client;
using Engram.Server.Inputs;
using Engram.Server.Specifications;
using Engram.Server.Store;
using Engram.Server.Versions;

namespace Engram.Server;

/// <summary>What the parts of one learner share.</summary>
internal sealed class LearnerContext(
    LearnerSpecification specification, DateTimeOffset created, IServiceStore service, ServiceOptions options, TimeProvider clock) : IAsyncDisposable
{
    public LearnerSpecification Specification { get; } = specification;

    public DateTimeOffset Created { get; } = created;

    public ServiceOptions Options { get; } = options;

    public TimeProvider Clock { get; } = clock;

    // Before the store, which has a writer to end: what fails here leaves nothing open.
    public InputEncoder Encoder { get; } = InputEncoder.For(specification.Input, EncodersOf(options));

    public ILearnerStore Store { get; } = service.OpenLearner(specification.Name, specification.Retention.MaxPredictions);

    public LearnerRecipe Recipe => field ??= new LearnerRecipe(Specification, Encoder.Shape);

    public VersionFolders Folders { get; } = new(FolderOf(options, specification.Name));

    public VersionBook Book => field ??= new VersionBook(Store);

    /// <summary>What versions hold of deleted subjects.</summary>
    public Remains Remains => field ??= new Remains(this);

    /// <summary>Up to where the version being made has read; 0 while none is. Changes under <see cref="Changing"/>.</summary>
    public long Reading { get; set; }

    public LearnerEvents Events { get; } = new(specification.Name, clock, options.Logs);

    /// <summary>Guards versions, their route, and what is read to be learnt against what is deleted.</summary>
    public SemaphoreSlim Changing { get; } = new(1);

    /// <summary>Names the learner in its versions' files: one of the same name made later is another.</summary>
    public string Identity => string.Create(CultureInfo.InvariantCulture, $"{Specification.Name} {Created.ToUnixTimeMilliseconds()}");

    public static string FolderOf(ServiceOptions options, string learner) => Path.Combine(options.Folder, "learners", learner);

    public static string EncodersOf(ServiceOptions options) => Path.Combine(options.Folder, "encoders");

    /// <summary>What a failure says to those who ask over the network: not where the files are.</summary>
    public string Tellable(string problem) => Tellable(Options, problem);

    public static string Tellable(ServiceOptions options, string problem) => new[] { Path.GetFullPath(options.Folder), options.Folder }.Aggregate(
        problem, (said, folder) => said.Replace(folder.TrimEnd(Path.DirectorySeparatorChar) + Path.DirectorySeparatorChar, "", StringComparison.Ordinal));

    /// <summary>Who the audit log says did what nobody asked for.</summary>
    public const string Service = "service";

    /// <summary>Writes a change into the audit log.</summary>
    public Task AuditAsync(string who, string action, string detail, string? reason) =>
        service.AuditAsync(new AuditEntry(Clock.GetUtcNow(), who, Specification.Name, action, detail, reason));

    /// <summary>Remembers whether the learner is paused.</summary>
    public Task WritePausedAsync(bool paused) => service.WritePausedAsync(Specification.Name, Created, paused);

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        Events.End();
        await Store.DisposeAsync().ConfigureAwait(false);
        Encoder.Dispose();
        Changing.Dispose();
    }
}
