using Engram.Client;
using Engram.Server.Store;

namespace Engram.Server;

/// <summary>All learners of one service, without any web: what the web, and programs that embed the service, talk to.</summary>
/// <remarks>Safe for use by many threads at once.</remarks>
public sealed class LearningService : IAsyncDisposable
{
    private LearningService() { }

    /// <summary>Opens the service over a folder: learners come back as they were, each at its published version and its place in its feedback.</summary>
    /// <param name="options">Where its files are and what it may use.</param>
    /// <param name="clock">The time; null for the system's.</param>
    /// <exception cref="IOException">The folder cannot be used, or another service uses it.</exception>
    public static LearningService Open(ServiceOptions options, TimeProvider? clock = null) => throw new NotImplementedException();

    /// <summary>Keys, the audit log and the list of learners.</summary>
    public IServiceStore Store => throw new NotImplementedException();

    /// <summary>The learners by name.</summary>
    public IReadOnlyList<LearnerHost> Learners => throw new NotImplementedException();

    /// <summary>A learner by name; null if there is none.</summary>
    /// <param name="name">Its name.</param>
    public LearnerHost? Find(string name) => throw new NotImplementedException();

    /// <summary>Creates a learner.</summary>
    /// <param name="specification">What it is to be.</param>
    /// <param name="by">Who asks, for the audit log.</param>
    /// <exception cref="SpecificationException">A field of the specification is wrong; the message names it.</exception>
    /// <exception cref="ConflictException">There is a learner of this name.</exception>
    public Task<LearnerHost> CreateAsync(LearnerSpecification specification, string by) => throw new NotImplementedException();

    /// <summary>Deletes a learner and all it kept.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="by">Who asks.</param>
    /// <param name="reason">Why.</param>
    /// <returns>Whether there was one.</returns>
    public Task<bool> DeleteAsync(string name, string by, string? reason) => throw new NotImplementedException();

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => throw new NotImplementedException();
}
