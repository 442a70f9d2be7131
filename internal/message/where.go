package message

var places = map[Where]Text{
	OnInstance: {English: "on this machine", Japanese: "このマシンで実行"},
	AsAdmin:    {English: "in a terminal with an administrator's credentials", Japanese: "管理者の認証情報がある端末で実行"},
	InConsole:  {English: "in the AWS console", Japanese: "AWS コンソールで操作"},
	InApp:      {English: "where the application's settings are", Japanese: "アプリケーションの設定がある場所で実行"},
}

// In says the place in language l, as the heading of a command.
func (w Where) In(l Lang) string { return places[w].Fill(l, nil) }
