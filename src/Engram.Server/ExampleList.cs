using Engram.Client;
using Engram.Server.Store;

namespace Engram.Server;

/// <summary>Pinned examples: what no new version may lose.</summary>
internal sealed class ExampleList(LearnerContext learner)
{
    private const int Most = 10_000;

    public IReadOnlyList<PinnedExample> All => [.. learner.Store.ReadExamples().Select(example => new PinnedExample(example.Id, example.Label, example.Added))];

    public async Task<PinnedExample> PinAsync(PinExampleRequest request, string by)
    {
        ArgumentNullException.ThrowIfNull(request);
        if (string.IsNullOrEmpty(request.Label) || request.Label.Length > 256)
            throw new InputException("label", $"label: {request.Label?.Length ?? 0} characters, expected 1 to 256");
        if (request.Subject is not null) Subjects.Check(request.Subject);
        if (learner.Store.ReadExamples().Count >= Most) throw new ConflictException("examples", $"examples: {Most} are pinned, expected fewer");
        var example = new StoredExample(
            Guid.CreateVersion7(learner.Clock.GetUtcNow()).ToString("N"), learner.Encoder.Pack(request.Input, "input"), request.Label, learner.Clock.GetUtcNow(),
            request.Subject);
        await learner.Store.WriteExampleAsync(example).ConfigureAwait(false);
        await learner.AuditAsync(by, "example.pin", $"example {example.Id} as {example.Label}", request.Reason).ConfigureAwait(false);
        return new PinnedExample(example.Id, example.Label, example.Added);
    }

    public async Task<bool> UnpinAsync(string id, string by, string? reason)
    {
        if (!await learner.Store.DeleteExampleAsync(id).ConfigureAwait(false)) return false;
        await learner.AuditAsync(by, "example.unpin", $"example {id}", reason).ConfigureAwait(false);
        return true;
    }
}
