using System.Net;
using System.Reflection;
using Engram.Server.Store;

namespace Engram.Server.Tests.Web;

public sealed class OverloadTests : WebTest
{
    [Fact]
    public async Task A_prediction_too_many_is_told_to_come_again()
    {
        using var begun = new ManualResetEventSlim();
        using var goOn = new ManualResetEventSlim();
        await TaughtAsync(await StartAsync(Options with
        {
            Service = Options.Service with { MaxWaitingPredictions = 1 },
            OpenStore = (service, clock) => Before.Calls<IServiceStore>(new SqliteServiceStore(service, clock), nameof(ILearnerStore.Remember), () =>
            {
                begun.Set();
                goOn.Wait();
            }),
        }));
        Task<HttpResponseMessage> AskAsync() => Http(Key).PostAsync("/v1/learners/pairs/predictions", Json("""{"input":[1,0]}"""), Token);
        var answered = AskAsync();
        begun.Wait(Token);

        Task<HttpResponseMessage>[] others = [AskAsync(), AskAsync()]; // one waits, and the other is one too many
        var refused = await await Task.WhenAny(others);
        goOn.Set();

        Assert.Equal(HttpStatusCode.TooManyRequests, refused.StatusCode);
        Assert.Equal(TimeSpan.FromSeconds(1), refused.Headers.RetryAfter?.Delta);
        Assert.Equal("input", (await ProblemOfAsync(refused)).Field);
        Assert.Equal(2, (await Task.WhenAll([answered, .. others])).Count(answer => answer.StatusCode == HttpStatusCode.OK));
    }
}

/// <summary>Does something before a method of a store, or of one that it opens, is called.</summary>
public class Before : DispatchProxy
{
    private object _inner = null!;
    private string _method = null!;
    private Action _act = null!;

    public static T Calls<T>(T inner, string method, Action act) where T : class
    {
        var proxy = Create<T, Before>();
        ((Before)(object)proxy)._inner = inner;
        ((Before)(object)proxy)._method = method;
        ((Before)(object)proxy)._act = act;
        return proxy;
    }

    protected override object? Invoke(MethodInfo? targetMethod, object?[]? args)
    {
        if (targetMethod!.Name == _method) _act();
        var result = targetMethod.Invoke(_inner, BindingFlags.DoNotWrapExceptions, null, args, null);
        return result is ILearnerStore opened ? Calls(opened, _method, _act) : result;
    }
}
